/*
 * What a driver of one's own is written against. Not covered by semver; the suite of
 * `@thereafter/queue/conformance` proves it.
 */
export { systemClock, type Clock } from './clock.ts';
export {
  ERROR_HISTORY,
  HOLD_MS,
  type Capability,
  type DriverStart,
  type ErrorInfo,
  type JobDriver,
  type JobEvent,
  type JobRecord,
  type NewJob,
  type Outcome,
  type Page,
  type RunJob,
  type Schedule,
  type StopReason,
  type WorkerHandle,
  type WorkOptions,
} from './driver.ts';
export { RunningJob } from './running-job.ts';
export { isFinal, JOB_STATES, MOVES, type JobState } from './states.ts';
