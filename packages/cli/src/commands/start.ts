import type { ListenFlags } from './listen-flags.ts';
import { runToEnd } from './run-to-end.ts';

/** Runs a program as it is in production. */
export function start(given: string | undefined, flags: ListenFlags): Promise<void> {
  return runToEnd('serve', given, flags);
}
