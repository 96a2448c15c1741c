import type { JobRecord, NewJob } from './driver.ts';
import type { JobState } from './states.ts';

/** What is known of a job. A copy: it does not change when the job does. */
export interface Job<R = unknown> {
  readonly id: string;
  /** The name of its task. */
  readonly task: string;
  readonly queue: string;
  readonly state: JobState;
  readonly payload: unknown;
  /** What it returned; null before it has completed, and when it returned nothing. */
  readonly result: R | null;
  /** Of its last attempt that failed. */
  readonly error: JobError | null;
  /** Of its last attempts, the newest last, 10 at most. */
  readonly errors: readonly JobError[];
  /** Runs begun that count, 0 before the first. */
  readonly attempt: number;
  /** Most runs, the first included. */
  readonly attempts: number;
  /** 0 to 1, as the job says. */
  readonly progress: number;
  /** 0 to 9, the lower the sooner. */
  readonly priority: number;
  readonly enqueuedAt: Date;
  /** Not to run before. */
  readonly runAt: Date;
  /** Of the last run. */
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** The tick of a schedule for which it was made. */
  readonly scheduledFor: Date | null;
}

/** What one attempt failed with. */
export interface JobError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly attempt: number;
  readonly at: Date;
}

/** A job as the store has it, for people. */
export function toJob(record: JobRecord): Job {
  const errors = record.errors.map(({ atMs, ...error }) => ({ ...error, at: new Date(atMs) }));
  return {
    id: record.id,
    task: record.task,
    queue: record.queue,
    state: record.state,
    payload: JSON.parse(record.payload),
    result: record.result === null ? null : JSON.parse(record.result),
    error: errors.at(-1) ?? null,
    errors,
    attempt: record.attempt,
    attempts: record.attempts,
    progress: record.progress,
    priority: record.priority,
    enqueuedAt: new Date(record.enqueuedAtMs),
    runAt: new Date(record.runAtMs),
    startedAt: toDate(record.startedAtMs),
    finishedAt: toDate(record.finishedAtMs),
    scheduledFor: toDate(record.schedule?.forMs),
  };
}

/** A job that was stored just now. */
export function toNewJob(job: NewJob, enqueuedAtMs: number): Job {
  return {
    id: job.id,
    task: job.task,
    queue: job.queue,
    state: job.runAtMs > enqueuedAtMs ? 'scheduled' : 'available',
    payload: JSON.parse(job.payload),
    result: null,
    error: null,
    errors: [],
    attempt: 0,
    attempts: job.attempts,
    progress: 0,
    priority: job.priority,
    enqueuedAt: new Date(enqueuedAtMs),
    runAt: new Date(job.runAtMs),
    startedAt: null,
    finishedAt: null,
    scheduledFor: toDate(job.schedule?.forMs),
  };
}

function toDate(timeMs: number | null | undefined): Date | null {
  return typeof timeMs === 'number' ? new Date(timeMs) : null;
}
