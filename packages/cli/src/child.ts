import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProgramOptions } from './run-program.ts';

/**
 * Runs a program in a process of its own, with the loader, which its worker threads then have too.
 *
 * @param options.nodeFlags - For Node, besides those of this process.
 * @param options.env - Variables, besides those of this process.
 */
export function spawnProgram(
  program: ProgramOptions,
  options: {
    readonly stdio: StdioOptions;
    readonly nodeFlags?: readonly string[];
    readonly env?: NodeJS.ProcessEnv;
  },
): ChildProcess {
  return spawn(
    process.execPath,
    [
      ...process.execArgv,
      ...(options.nodeFlags ?? []),
      '--import',
      import.meta.resolve('@thereafter/cli/register'),
      fileURLToPath(import.meta.resolve('#program')),
      JSON.stringify(program),
    ],
    { stdio: options.stdio, env: { ...process.env, ...options.env } },
  );
}

/**
 * Hands the signals that end a process on to a child, and leaves the end of this process to it.
 *
 * @returns Stops handing on.
 */
export function forwardSignals(onSignal: (signal: NodeJS.Signals) => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/** Whether the child has had the signal from the terminal, as every process of its group has. */
export function comesFromTerminal(signal: NodeJS.Signals): boolean {
  return signal === 'SIGINT' && process.stdin.isTTY;
}
