import { pathToFileURL } from 'node:url';
import type { AppBlueprint, AppHost, HostedApp } from 'thereafter';
import { CommandError } from './failure.ts';
import { exportedApp } from './start-app.ts';

const HOST = Symbol.for('thereafter.host');
const place = globalThis as { [HOST]?: AppHost };

/** Makes every app of this process ask this host before it listens. */
export function beHost(host: AppHost): void {
  place[HOST] = host;
}

/** Lets apps start again without asking. */
export function leaveHost(): void {
  delete place[HOST];
}

/** An app that was kept from starting. */
export interface InterceptedApp {
  readonly app: HostedApp;
  readonly blueprint: AppBlueprint;
}

/** How long a program that exports no app may take until it wants to start one. */
const PATIENCE_MS = 10_000;

/**
 * Loads a program and keeps its app from starting: the one that it exports, or else the first that it
 * wants to start. Needs the loader.
 *
 * @throws {CommandError} When there is no app.
 * @throws What the program threw.
 */
export async function interceptApp(entry: string): Promise<InterceptedApp> {
  const intercepted = Promise.withResolvers<InterceptedApp>();
  beHost({
    admit: (app, blueprint) => {
      intercepted.resolve({ app, blueprint });
      return false;
    },
  });
  const giveUp = (): void => intercepted.reject(noApp(entry));
  process.once('beforeExit', giveUp);
  const timer = setTimeout(giveUp, PATIENCE_MS).unref();
  load(entry)
    // It asks its host, and so tells what it is made of.
    .then((module) => exportedApp(module)?.listen())
    .catch(intercepted.reject);
  try {
    return await intercepted.promise;
  } finally {
    clearTimeout(timer);
    process.off('beforeExit', giveUp);
  }
}

/** Runs the program of a file. */
export async function load(entry: string): Promise<object> {
  return (await import(pathToFileURL(entry).href)) as object;
}

/** For a program in which there is nothing to start or to look at. */
export function noApp(entry: string): CommandError {
  return new CommandError(
    `${entry} neither exports an app nor starts one. Write in it: export const app = createApp(), or give ` +
      'the file that does.',
  );
}
