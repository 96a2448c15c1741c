import type { RunOn } from './background-tasks.ts';
import type { TaskHost } from './task-queue.ts';

/**
 * Whether a task may run after a response that ended as `host` says. What was added once the request
 * had failed, by an error handler say, counts as `return` too.
 */
export function mayRun(
  { on, isAfterFailure }: { readonly on: RunOn; readonly isAfterFailure: boolean },
  { outcome, failure }: TaskHost,
): boolean {
  switch (on satisfies RunOn) {
    case 'return':
      return failure === undefined || isAfterFailure;
    case 'sent':
      return outcome === 'sent';
    case 'error':
      return failure !== undefined;
    case 'always':
      return true;
  }
}
