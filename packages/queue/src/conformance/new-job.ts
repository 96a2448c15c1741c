import type { NewJob } from '../driver.ts';

/** A job as the engine would make it. */
export function newJob(id: string, more: Partial<NewJob> = {}): NewJob {
  return {
    id,
    queue: 'default',
    task: 'noop',
    payload: '{}',
    priority: 5,
    attempts: 5,
    runAtMs: Date.now(),
    ...more,
  };
}
