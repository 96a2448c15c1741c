import type { JobEngine } from '@thereafter/tasks';
import { Engine, type JobsOptions } from './engine.ts';

export type { Clock } from './clock.ts';
export type { JobDriver } from './driver.ts';
export {
  JobCancelledError,
  JobHandedBackError,
  JobsStateError,
  JobsUnsupportedError,
  JobTimeoutError,
  JobUnknownError,
  JobWaitError,
  NotJsonError,
  NotRetryable,
  ScheduleError,
  Snooze,
  StoredPayloadError,
  TaskNameTakenError,
  TaskNotIncludedError,
  TooLargeError,
  WorkerLostError,
} from './errors.ts';
export type { JobsOptions, WorkerOptions } from './engine.ts';
export {
  JOB_EVENTS,
  type JobEventMessage,
  type JobEventName,
  type JobSpan,
  type Tracing,
} from './events.ts';
export type { EnqueueOptions } from './job-store.ts';
export type { Job, JobError } from './job.ts';
export {
  Jobs,
  type JobPage,
  type ListOptions,
  type QueueStatus,
  type ScheduleStatus,
} from './jobs.ts';
export { JOB_STATES, type JobState } from './states.ts';

/**
 * The engine of durable jobs, for `createApp({ jobs })`. Nothing is connected before the app starts.
 *
 * @throws {ArgumentError} When an option is out of range.
 */
export function jobs(options: JobsOptions): JobEngine {
  return new Engine(options);
}
