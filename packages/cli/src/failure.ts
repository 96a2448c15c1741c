import { ArgumentError } from '@thereafter/di/errors';
import { isFrameworkError } from './framework-error.ts';
import { explainCycle, imports } from './import-cycle.ts';

/** Something that the user can put right. Shown as one line, which says what to do. */
export class CommandError extends ArgumentError {}

/**
 * Says on standard error why a program or command failed: what people can act upon in a line, code that
 * does not compile with the line at fault, anything else with its stack.
 */
export function printFailure(error: unknown): void {
  if (error instanceof CommandError) console.error(`thereafter: ${error.message}`);
  else if (isFrameworkError(error)) console.error(error.message);
  else if (isMissingModule(error)) console.error(`thereafter: ${describeMissing(error.message)}`);
  else console.error(error);
  const cycle = explainCycle(error, imports);
  if (cycle !== undefined) console.error(cycle);
}

function isMissingModule(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND';
}

function describeMissing(message: string): string {
  const name = /^Cannot find package '([^']+)'/.exec(message)?.[1];
  const hint = name
    ? `Install it: npm install ${name}.`
    : 'Create the file, or correct the import that names it.';
  return `${message.split('\n')[0]}. ${hint}`;
}
