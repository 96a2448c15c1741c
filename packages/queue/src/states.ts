/*
 * The life of a job, and the only table of it: what the states are, which moves exist, and which states
 * are ends. Whatever else names states, in whatever store, is derived from here.
 *
 * - `scheduled` its time has not come: enqueued with a delay, waiting for a retry, or snoozed
 * - `available` the next free worker of its queue takes it
 * - `running` a worker has it, and has not said how the attempt ended
 * - `completed` it returned
 * - `failed` its attempts are used up, or its error cannot be retried: the dead letters
 * - `cancelled` somebody called it off before it ended
 */

/** The states in which a job has ended: only `retry()` leads out of them. */
export const FINAL_STATES = ['completed', 'failed', 'cancelled'] as const;

/** A state in which a job has ended. */
export type FinalState = (typeof FINAL_STATES)[number];

/** Where a job is in its life; see docs/reference/job-states.md. */
export type JobState = 'scheduled' | 'available' | 'running' | FinalState;

/** From each state, the states to which a job may move. Whoever changes a state keeps to this table. */
export const MOVES: Readonly<Record<JobState, readonly JobState[]>> = {
  scheduled: ['available', 'cancelled'],
  available: ['running', 'cancelled'],
  // `scheduled`: a retry or a snooze. `available`: its worker was lost, or handed it back.
  running: ['completed', 'failed', 'cancelled', 'scheduled', 'available'],
  completed: ['available'],
  failed: ['available'],
  cancelled: ['available'],
};

/** All states, in the order in which a job goes through them. */
export const JOB_STATES: readonly JobState[] = Object.keys(MOVES) as JobState[]; // its keys are these

const finalStates: ReadonlySet<string> = new Set(FINAL_STATES);

/** Whether a job in that state has ended. Returns false for a word that is no state. */
export function isFinal(state: string): state is FinalState {
  return finalStates.has(state);
}

/** A record of counts by state, all of them 0, for `counts()` to fill in. */
export function noCounts(): Record<JobState, number> {
  return Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<JobState, number>; // all have one
}
