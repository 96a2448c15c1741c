import type { JobRecord, NewJob } from './driver.ts';
import type { JobState } from './states.ts';

/** What is known of a job. A copy: it does not change when the job does. */
export interface Job<R = unknown> {
  /** Unique among all jobs of the store. */
  readonly id: string;
  /** The name of its task. */
  readonly task: string;
  /** Where it waits for a worker. */
  readonly queue: string;
  readonly state: JobState;
  /** What it was enqueued with, after a round trip through JSON. */
  readonly payload: unknown;
  /** What it returned; null before it has completed, and when it returned `undefined`. */
  readonly result: R | null;
  /** That of its last attempt that failed; null when none has. */
  readonly error: JobError | null;
  /** Those of its last attempts that failed, at most 10, the newest last. */
  readonly errors: readonly JobError[];
  /** How many attempts were begun that count; 0 before the first. */
  readonly attempt: number;
  /** Most attempts, the first included. */
  readonly attempts: number;
  /** How far it is, from 0 to 1, as the job says; 0 as long as it has not said so. */
  readonly progress: number;
  /** 0 to 9, the lower the sooner. */
  readonly priority: number;
  /** When it was stored. */
  readonly enqueuedAt: Date;
  /** When it is due, or due again: it does not run before. */
  readonly runAt: Date;
  /** When its last attempt began; null before the first. */
  readonly startedAt: Date | null;
  /** When it ended; null as long as it has not. */
  readonly finishedAt: Date | null;
  /** The tick of a schedule for which it was made; null for every other job. */
  readonly scheduledFor: Date | null;
}

/** What one attempt failed with. */
export interface JobError {
  /** That of the error's class, e.g. `TypeError`. */
  readonly name: string;
  /** At most 2,000 characters. */
  readonly message: string;
  /** At most 8,000 characters; undefined when no error was thrown but another value. */
  readonly stack?: string | undefined;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** When it failed. */
  readonly at: Date;
}

/** Makes what users see of what the store has. */
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

/** Makes what users see of a job that was stored just now. */
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
