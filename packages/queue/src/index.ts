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
  StoredPayloadError,
  TaskNameTakenError,
  TaskNotIncludedError,
  TooLargeError,
  WorkerLostError,
} from './errors.ts';
export { JOB_EVENTS, type JobEventMessage, type JobEventName } from './events.ts';
export type { EnqueueOptions } from './job-store.ts';
export type { Job, JobError } from './job.ts';
export {
  Jobs,
  type JobPage,
  type ListOptions,
  type QueueStatus,
  type ScheduleStatus,
} from './jobs.ts';
export { jobs, type JobsOptions } from './queue.ts';
export { Snooze } from './snooze.ts';
export { JOB_STATES, type JobState } from './states.ts';
export type { JobSpan, Tracing } from './tracing.ts';
export type { WorkerOptions } from './worker.ts';
