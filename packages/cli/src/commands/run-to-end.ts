import { constants } from 'node:os';
import { resolve } from 'node:path';
import { comesFromTerminal, forwardSignals, spawnProgram } from '../child.ts';
import { findEntry } from '../entry.ts';
import { runProgram, type ProgramOptions } from '../run-program.ts';
import { toListenOptions, type ListenFlags } from './listen-flags.ts';

/** Runs a program until it ends, and ends as it did. `NODE_ENV` is `production`, unless it is set. */
export async function runToEnd(
  mode: ProgramOptions['mode'],
  given: string | undefined,
  flags: ListenFlags,
): Promise<void> {
  process.env.NODE_ENV ??= 'production';
  const program: ProgramOptions = {
    entry: findEntry(given, { built: true }),
    mode,
    listen: toListenOptions(flags),
    envFile: flags.envFile && resolve(flags.envFile),
  };
  // JavaScript needs no loader, and so no process of its own.
  if (/\.m?js$/.test(program.entry)) return runProgram(program);
  const child = spawnProgram(program, { stdio: 'inherit' });
  const stop = forwardSignals((signal) => {
    if (!comesFromTerminal(signal)) child.kill(signal);
  });
  process.exitCode = await new Promise<number>((resolveCode) => {
    child.once('exit', (code, signal) =>
      // As shells say it.
      resolveCode(code ?? 128 + (constants.signals[signal ?? 'SIGTERM'] ?? 0)),
    );
  });
  stop();
}
