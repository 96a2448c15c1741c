import { loadEnvFile } from 'node:process';
import type { AppHost, Duration, ListenOptions } from 'thereafter';
import { printFailure } from './failure.ts';
import { beHost, interceptApp, leaveHost, load, noApp } from './host.ts';
import { startApp } from './start-app.ts';

/** Which program to run in this process, and how. */
export interface ProgramOptions {
  /** The absolute path of its file. */
  readonly entry: string;
  /** Whether its app takes requests, or only works on jobs. */
  readonly mode: 'serve' | 'work';
  readonly listen: ListenOptions;
  /** Wins over the drain timeout of the app. */
  readonly drainTimeout?: Duration | undefined;
  /** Variables for the environment; those that are set already win. */
  readonly envFile?: string | undefined;
}

/**
 * Runs the program of a file as Node would, and starts the app that it exports. A program that starts its
 * app itself is left to it. When it fails, says why and ends the process with code 1.
 */
export async function runProgram(options: ProgramOptions): Promise<void> {
  const { entry, mode, envFile } = options;
  process.argv.splice(1, process.argv.length, entry); // what the program expects
  try {
    if (envFile !== undefined) loadEnvFile(envFile);
    await (mode === 'serve' ? serve(options) : workOnly(options));
  } catch (error) {
    printFailure(error);
    process.exit(1);
  }
}

async function serve({ entry, listen, drainTimeout }: ProgramOptions): Promise<void> {
  let isStarted = false;
  let docs: string | undefined;
  const host: AppHost = {
    admit: (_app, blueprint) => {
      docs ??= blueprint.docs;
      return (isStarted = true);
    },
    listening: (url) => process.send?.({ listening: url, docs: docs && `${url}${docs}` }),
    listen,
    ...(drainTimeout && { drainTimeout }),
  };
  beHost(host);
  process.once('beforeExit', () => {
    if (isStarted) return;
    printFailure(noApp(entry));
    process.exit(1);
  });
  await startApp(await load(entry));
}

async function workOnly({ entry, drainTimeout }: ProgramOptions): Promise<void> {
  const { app } = await interceptApp(entry);
  if (drainTimeout) beHost({ admit: () => true, drainTimeout });
  else leaveHost();
  await app.work();
}
