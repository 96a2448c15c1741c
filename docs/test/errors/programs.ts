import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InvalidAppError } from 'thereafter/errors';
import type { App } from 'thereafter';

/** Error code → what leads to it by public means, and returns the error as its user gets it. */
export type Programs = Readonly<Record<string, () => Promise<unknown>>>;

export async function thrownBy(run: () => unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

/** The first thing that is wrong with an app, as `listen()` tells it. */
export async function faultOf(app: App): Promise<unknown> {
  const error = await thrownBy(() => listen(app));
  if (!(error instanceof InvalidAppError)) throw error;
  return error.errors[0];
}

export async function listen(app: App): Promise<string> {
  return (await app.listen({ port: 0, host: '127.0.0.1' })).url;
}

/** A folder that is removed at the end of a block. */
export async function tempFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'errors-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/**
 * Runs a program in a process of its own, which prints the code of an error.
 *
 * @param flags - Of Node, or a command before it.
 */
export async function codePrintedBy(
  program: string,
  flags: readonly string[] = [],
  [command = process.execPath, ...before]: readonly string[] = [],
): Promise<{ readonly code: string }> {
  const { stdout } = await promisify(execFile)(
    command,
    [
      ...before,
      '--conditions=thereafter-source',
      '--import=@thereafter/cli/register',
      ...flags,
      '--input-type=module',
      `--eval=${program}`,
    ],
    { cwd: join(import.meta.dirname, '../..') },
  );
  return { code: stdout.trim() };
}

/** A module as the value of `--import`. */
export function preload(source: string): string {
  return `--import=data:text/javascript,${encodeURIComponent(source)}`;
}
