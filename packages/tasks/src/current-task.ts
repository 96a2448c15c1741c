import { AsyncLocalStorage } from 'node:async_hooks';
import type { ThreadPool } from './thread-pool.ts';

/** What a running task can reach without being given it. */
export interface CurrentTask {
  readonly signal: AbortSignal;
  readonly threads: ThreadPool;
}

/** The task that runs here, in whatever it calls and awaits. */
export const currentTask: AsyncLocalStorage<CurrentTask> = new AsyncLocalStorage();

/**
 * The signal of the background task that calls this, directly or through other functions: aborts at
 * its timeout and when the app closes without having waited for it. For plain functions; task classes
 * and definitions find the same one in `job.signal`.
 *
 * @returns Outside of a task a signal that never aborts, so that code can serve both.
 */
export function taskSignal(): AbortSignal {
  return currentTask.getStore()?.signal ?? new AbortController().signal;
}
