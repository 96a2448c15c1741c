import { Console } from 'node:console';
import { interceptApp, type InterceptedApp } from './host.ts';

/**
 * Looks at the app of a program without starting it. What the program prints meanwhile goes to standard
 * error, so that standard output holds the answer alone.
 *
 * @throws {CommandError} When there is no app.
 * @throws What the program threw.
 */
export async function inspect(entry: string): Promise<InterceptedApp> {
  globalThis.console = new Console(process.stderr);
  await import('./register.ts');
  return interceptApp(entry);
}

/** Writes the answer of a command. */
export function answer(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${text}\n`, (error) => (error ? reject(error) : resolve()));
  });
}
