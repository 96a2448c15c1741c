/**
 * The life of a job.
 *
 * - `scheduled` its time has not come: enqueued with a delay, waiting for a retry, or snoozed
 * - `available` the next free worker of its queue takes it
 * - `running` a worker has it, and has not said how it ended
 * - `completed` it returned
 * - `failed` its attempts are used up, or its error cannot be retried: the dead letters
 * - `cancelled` somebody called it off before it ended
 *
 * The last three are final: only `retry()` leads out of them.
 */
export type JobState = 'scheduled' | 'available' | 'running' | 'completed' | 'failed' | 'cancelled';

/** The moves that exist. Whoever changes a state, in whatever store, keeps to this table. */
export const MOVES: Readonly<Record<JobState, readonly JobState[]>> = {
  scheduled: ['available', 'cancelled'],
  available: ['running', 'cancelled'],
  // `scheduled`: a retry or a snooze. `available`: its worker was lost, or handed it back.
  running: ['completed', 'failed', 'cancelled', 'scheduled', 'available'],
  completed: ['available'],
  failed: ['available'],
  cancelled: ['available'],
};

export const JOB_STATES: readonly JobState[] = Object.keys(MOVES) as JobState[]; // its keys are these

/** Whether a job in that state has ended, as far as it is concerned; no other word is such a state. */
export function isFinal(state: string): state is 'completed' | 'failed' | 'cancelled' {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
