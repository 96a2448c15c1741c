import { CommanderError } from 'commander';
import { createCommands } from './commands.ts';
import { printFailure } from './failure.ts';

/** Runs `thereafter` with the arguments of a shell. Ends the process, unless a server runs in it. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = createCommands();
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => write(toOneLine(text, command.name())),
    });
  }
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    printFailure(error);
    process.exit(1);
  }
}

/** `error: unknown option '--prot'\n(Did you mean --port?)`, in one line and with a way out. */
function toOneLine(text: string, command: string): string {
  const [what = '', hint = ''] = text
    .trim()
    .replace(/^error: /, '')
    .split('\n');
  const help = command === 'thereafter' ? 'thereafter --help' : `thereafter ${command} --help`;
  const end = /[.!?]$/.test(what) ? '' : '.';
  return `thereafter: ${what}${end} ${hint ? hint.replace(/^\(|\)$/g, '') : `See ${help}.`}\n`;
}
