import { channel, type Channel } from 'node:diagnostics_channel';
import type { JobRecord, NewJob } from './driver.ts';

/**
 * What this process publishes of jobs, on the channel `thereafter:job.<name>` of
 * `node:diagnostics_channel`: `enqueued` when the store has it, then for each attempt `started`, and one
 * of the others when the store has that. `retrying`, `snoozed` and `handedBack` jobs come again. A job that is given up because
 * its worker was lost has `failed` alone.
 */
export const JOB_EVENTS = [
  'enqueued',
  'started',
  'completed',
  'retrying',
  'failed',
  'snoozed',
  'cancelled',
  'handedBack',
] as const;

/** The name of a job event, as it stands in the name of its channel. */
export type JobEventName = (typeof JOB_EVENTS)[number];

/** Those that are about an attempt. */
export type AttemptEventName = Exclude<JobEventName, 'enqueued'>;

/** The message of a job event. */
export interface JobEventMessage {
  readonly jobId: string;
  readonly taskName: string;
  readonly queue: string;
  /** The number of the attempt, from 1; 0 for `enqueued`. */
  readonly attempt: number;
  /** When it happened, in milliseconds since 1970. */
  readonly atMs: number;
  /** From when it could have run to its start, in milliseconds; undefined for `enqueued`. */
  readonly waitedMs: number | undefined;
  /** How long the attempt ran, in milliseconds; undefined for `enqueued` and `started`. */
  readonly elapsedMs: number | undefined;
  /** `retrying`, `failed`, `cancelled`: what was thrown. `handedBack`: the reason of its signal. */
  readonly error: unknown;
  /** `retrying`, `snoozed`: how long it waits, in milliseconds. */
  readonly delayMs: number | undefined;
}

const channels = Object.fromEntries(
  JOB_EVENTS.map((name) => [name, channel(`thereafter:job.${name}`)]),
) as unknown as Readonly<Record<JobEventName, Channel>>; // every name has one

/** Publishes which jobs are new in the store, if somebody listens. */
export function publishEnqueued(
  jobs: readonly NewJob[],
  stored: readonly { readonly duplicate: boolean }[],
  atMs: number,
): void {
  if (!channels.enqueued.hasSubscribers) return;
  for (const [i, { id, task, queue }] of jobs.entries()) {
    if (stored[i]!.duplicate) continue;
    channels.enqueued.publish({
      jobId: id,
      taskName: task,
      queue,
      attempt: 0,
      atMs,
      waitedMs: undefined,
      elapsedMs: undefined,
      error: undefined,
      delayMs: undefined,
    } satisfies JobEventMessage);
  }
}

/** Publishes what happened to an attempt, if somebody listens; nothing is allocated otherwise. */
export function publish(
  name: AttemptEventName,
  job: JobRecord,
  atMs: number,
  error?: unknown,
  delayMs?: number,
): void {
  const to = channels[name];
  if (!to.hasSubscribers) return;
  const startedAtMs = job.startedAtMs ?? atMs;
  to.publish({
    jobId: job.id,
    taskName: job.task,
    queue: job.queue,
    attempt: job.attempt,
    atMs,
    waitedMs: Math.max(0, startedAtMs - Math.max(job.runAtMs, job.enqueuedAtMs)),
    elapsedMs: name === 'started' ? undefined : atMs - startedAtMs,
    error,
    delayMs,
  } satisfies JobEventMessage);
}

/**
 * How jobs take part in traces. `telemetry()` of `@thereafter/queue/telemetry` is one, on
 * OpenTelemetry.
 */
export interface Tracing {
  /** The W3C trace context of who enqueues now, to be stored with the job; undefined outside of a trace. */
  current(): string | undefined;
  /** Begins the span of an attempt; undefined for one that is not traced. */
  start(job: JobRecord): JobSpan | undefined;
}

/** The span of an attempt. */
export interface JobSpan {
  /** Calls a function with the span as the active one, and returns what it returns. */
  run<T>(call: () => T): T;
  /**
   * Ends the span.
   *
   * @param error - What the attempt threw, if it did.
   */
  end(error?: unknown): void;
}
