/**
 * The process in which `thereafter dev`, `start` and `worker` run a program. Its one argument is a
 * {@link ProgramOptions} as JSON. Reports to the process that started it, if there is a channel.
 */
import module from 'node:module';
import { fileURLToPath } from 'node:url';
import { runProgram, type ProgramOptions } from './run-program.ts';

/** What the program tells the process that started it. */
export type ProgramReport =
  | { readonly loaded: string }
  | { readonly listening: string; readonly docs?: string };

module.enableCompileCache(); // most of what a program loads never changes
if (process.send) {
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM')); // nobody is left to stop it
  process.channel?.unref();
  module.registerHooks({
    load(url, context, nextLoad) {
      if (url.startsWith('file:') && !url.includes('/node_modules/')) {
        const report: ProgramReport = { loaded: fileURLToPath(url.replace(/[?#].*$/, '')) };
        if (process.connected) process.send?.(report);
      }
      return nextLoad(url, context);
    },
  });
}
await runProgram(JSON.parse(process.argv[2] ?? '{}') as ProgramOptions);
