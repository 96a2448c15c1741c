import type { Logger } from '@thereafter/tasks';
import type { Clock } from './clock.ts';
import { JobCancelledError, JobHandedBackError } from './errors.ts';
import type { FinalState, JobState } from './states.ts';

/*
 * The door `@thereafter/queue/driver`: what a store is written against, and all that it needs of this
 * package. A driver stores, claims and settles jobs; it knows nothing of task classes, schemas, backoff,
 * timeouts or cron: the engine above it owns those, so that every store behaves alike. Not covered by
 * semver: drivers are proven by the suite of `@thereafter/queue-conformance`, not by this text alone.
 *
 * Times are milliseconds since 1970, and come from the clock that `start` is given.
 */

export { ArgumentError, ThereafterError } from '@thereafter/di';
export type { Logger } from '@thereafter/tasks';
export { systemClock, within, type Clock } from './clock.ts';
export {
  FINAL_STATES,
  isFinal,
  JOB_STATES,
  MOVES,
  noCounts,
  type FinalState,
  type JobState,
} from './states.ts';

/** What a store can do beyond the minimum; the suite tests what is claimed. */
export type Capability =
  | 'progress'
  | 'pause'
  | 'snooze'
  | 'cancelRunning'
  | 'uniquePeriod'
  | 'list'
  | 'multiMachine'
  | 'powerLossDurable';

/** A job that is to be stored. The engine has checked everything in it. */
export interface NewJob {
  /** Unique: a job whose id exists already is a duplicate, and leaves the first untouched. */
  readonly id: string;
  readonly queue: string;
  /** The name of the task. */
  readonly task: string;
  /** JSON text. */
  readonly payload: string;
  /** 0 to 9, the lower the sooner. */
  readonly priority: number;
  /** Most attempts, the first included. */
  readonly attempts: number;
  /** Later than now: `scheduled`; else `available`. */
  readonly runAtMs: number;
  /** At most one job that is scheduled, available or running has it, all queues together. */
  readonly uniqueKey?: string | undefined;
  /** Until when the key stays taken, even if the job has ended (capability `uniquePeriod`). */
  readonly uniqueUntilMs?: number | undefined;
  /** The schedule that made it, and the tick for which it was made. */
  readonly schedule?: { readonly key: string; readonly forMs: number } | undefined;
  /** W3C trace context of whoever enqueued it. */
  readonly traceparent?: string | undefined;
  /**
   * Not to be run before `release`, since the response that announces it is not over; until then it is
   * `scheduled`. If the process that holds it dies, the job runs all the same: the embedded store frees
   * it when it notices, a server after `HOLD_MS`.
   */
  readonly isHeld?: boolean | undefined;
}

/** Longest time for which a server keeps a job back that nobody released. */
export const HOLD_MS = 15_000;

/** What an attempt failed with, as it is stored. */
export interface ErrorInfo {
  /** That of the error's class, e.g. `TypeError`. */
  readonly name: string;
  /** At most 2,000 characters. */
  readonly message: string;
  /** At most 8,000 characters; undefined for what was no error. */
  readonly stack?: string | undefined;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  /** When it failed. */
  readonly atMs: number;
}

/** A job as the store has it. What is named as in `NewJob` is what the job was stored with. */
export interface JobRecord {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly payload: string;
  /** JSON text; null as long as it has not completed, and when it returned `undefined`. */
  readonly result: string | null;
  /** Of its last attempts, the newest last; see `withError`. */
  readonly errors: readonly ErrorInfo[];
  /**
   * How many attempts count, the running one included: 0 before the first. One whose worker was lost
   * counts; one that was snoozed or handed back does not: settling it takes 1 off. `retry` sets it to 0.
   */
  readonly attempt: number;
  readonly attempts: number;
  /** How often its worker was lost while it ran, since it was enqueued or retried. */
  readonly crashes: number;
  /** How far the running attempt, or the last one, said that it was: 0 to 1. */
  readonly progress: number;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  /** When it is due; after a retry or a snooze, when it is due again. */
  readonly runAtMs: number;
  /** When its last attempt began; null before the first. */
  readonly startedAtMs: number | null;
  /** When it came into its final state; null as long as it is in no such state. */
  readonly finishedAtMs: number | null;
  readonly uniqueKey: string | null;
  readonly schedule: { readonly key: string; readonly forMs: number } | null;
  readonly traceparent: string | null;
}

/** How many errors a job remembers. */
const ERROR_HISTORY = 10;

/** The errors of a job with that of one attempt more: the last 10, the newest last. */
export function withError(errors: readonly ErrorInfo[], error: ErrorInfo): readonly ErrorInfo[] {
  return [...errors, error].slice(-ERROR_HISTORY);
}

/**
 * What becomes of a job after an attempt, as the engine decides it and the store settles it.
 *
 * - `complete` it is `completed`, with a result as JSON text
 * - `retry` the attempt failed: it is `scheduled`, or `available` at once for a delay of 0
 * - `fail` the attempt failed, and there is no other: it is `failed`
 * - `snooze` it is `scheduled` again, and the attempt does not count
 * - `cancel` it is `cancelled`
 */
export type Verdict =
  | { readonly type: 'complete'; readonly result?: string | undefined }
  | { readonly type: 'retry'; readonly delayMs: number; readonly error: ErrorInfo }
  | { readonly type: 'fail'; readonly error: ErrorInfo }
  | { readonly type: 'snooze'; readonly delayMs: number }
  | { readonly type: 'cancel' };

/** Why a driver tells an attempt to stop. */
export type StopReason = 'cancelled' | 'handed-back';

/**
 * One attempt of a job, from the claim to its end. A driver makes one of each job that it claims, in a
 * class of its own that knows how to settle it, hands it to the engine, and keeps it while it runs.
 */
export abstract class Attempt {
  /** The job as it was claimed. */
  readonly record: JobRecord;
  #stopReason: StopReason | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #error: Error | undefined = undefined;

  constructor(record: JobRecord) {
    this.record = record;
  }

  /**
   * Writes down what becomes of the job, if this is still its running attempt, and frees the place that
   * it had. Called by the engine, once, unless the attempt was handed back before. Never rejects: what
   * cannot be written now is written later, or the job counts as lost.
   *
   * @returns Whether it counts. False when it came too late: the worker was taken for lost, or the
   *   attempt was handed back, and the job belongs to others.
   */
  abstract settle(verdict: Verdict): Promise<boolean>;

  /** Why the driver wants it to stop; undefined as long as it does not. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Aborts when the job should stop. Made when somebody asks for it, which most jobs do not. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#error) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  /**
   * Tells the job to stop, which it may ignore. Only the first reason counts. One that was cancelled is
   * still settled; one that was handed back is not.
   */
  stop(reason: StopReason): void {
    if (this.#stopReason) return;
    this.#stopReason = reason;
    const { task, id } = this.record;
    this.abort(
      reason === 'cancelled' ? new JobCancelledError(task, id) : new JobHandedBackError(task, id),
    );
  }

  /** Aborts the signal, unless it is aborted. For the engine: a timeout is no reason of the driver. */
  abort(error: Error): void {
    this.#error ??= error;
    this.#controller?.abort(this.#error);
  }
}

/** Runs a claimed job to its end, and settles it. Never rejects. */
export type RunAttempt = (attempt: Attempt) => Promise<void>;

/** How a queue is worked on. */
export interface WorkOptions {
  /** Most jobs of the queue that run at once in this process. */
  readonly concurrency: number;
  /** How long a server waits for a sign of life before it takes the worker for lost. */
  readonly leaseMs: number;
}

/** What `work` returns: the way to end it. */
export interface WorkerHandle {
  /** Claims nothing more; what runs goes on. */
  quiet(): void;
}

/**
 * What happened to a job, told to this process whichever process it happened in, if the store can. The
 * engine listens only while somebody waits for a job: with no listener, nothing need be made.
 */
export interface JobEvent {
  /** That it was stored, that it said how far it is, or the state that it has now. */
  readonly type: 'stored' | 'progress' | JobState;
  readonly id: string;
  readonly queue: string;
}

/** When jobs of a task are made, as the store has it. */
export interface Schedule {
  /** Names it; one with the same key is put in its place. */
  readonly key: string;
  /** In the syntax of cron, of 5 or 6 fields. */
  readonly cron: string;
  /** An IANA name, e.g. `Europe/Berlin`. */
  readonly timeZone: string;
  /** The name of the task of its jobs. */
  readonly task: string;
  /** The last tick for which a job was made; before the first, the time at which the schedule was put. */
  readonly lastTickMs: number;
}

/** A part of a listing. */
export interface Page<T> {
  /** At most as many as were asked for. */
  readonly items: readonly T[];
  /** Where the next page begins; undefined on the last one. */
  readonly cursor?: string | undefined;
}

/** What a driver gets of the engine when it starts. */
export interface DriverStart {
  /** Where all times come from. */
  readonly clock: Clock;
  /** That of the app, for what nobody waits for. */
  readonly log: Logger;
  /** How long ended jobs are kept. */
  readonly keepMs: Readonly<Record<FinalState, number>>;
}

/** What became of a job that was to be stored. */
export interface Stored {
  /** Its own; for a duplicate that of the job that was there before. */
  readonly id: string;
  /** Whether its id or its unique key was taken, so that nothing was stored. */
  readonly duplicate: boolean;
}

/** Which jobs a listing is about: those for which all that is given holds. */
export interface ListQuery {
  /** Only jobs of this queue. */
  readonly queue?: string | undefined;
  /** Only jobs in this state. */
  readonly state?: JobState | undefined;
  /** Only jobs of the task with this name. */
  readonly task?: string | undefined;
  /** Most jobs of the page, 1 to 1,000. */
  readonly limit: number;
  /** The `cursor` of the page before; for what is no cursor the page is empty. */
  readonly cursor?: string | undefined;
}

/** A store of jobs. Each method says what must be atomic. */
export interface JobDriver {
  /** For messages, e.g. `sqlite`. */
  readonly name: string;
  /** What it can do beyond the minimum; the methods of a capability are there. */
  readonly capabilities: ReadonlySet<Capability>;
  /**
   * Connects, checks settings, migrates, and gives back the jobs of workers that are no more.
   *
   * @throws What is wrong. Everything that was opened is closed again by then.
   */
  start(options: DriverStart): Promise<void>;
  /**
   * Stores jobs, all of a call or none. Resolved: they survive the death of any process.
   *
   * @returns What became of each, in the order of the jobs.
   * @throws When nothing was stored; `retryAfterSeconds` of the error says when to come back.
   */
  enqueue(jobs: readonly NewJob[]): Promise<readonly Stored[]>;
  /** The jobs were enqueued with `isHeld`; now they may run. Unknown and cancelled ones are passed over. */
  release(jobs: readonly { readonly id: string; readonly queue: string }[]): Promise<void>;
  /**
   * Claims jobs of the queue and runs them until `quiet()` or `stop()`: by priority, then in the order in
   * which they became available. A claim is atomic: a job has one running attempt. Lets the event loop
   * turn between batches.
   */
  work(queue: string, options: WorkOptions, run: RunAttempt): WorkerHandle;
  /** A job as it is now; null when there is none, or no longer. */
  get(id: string): Promise<JobRecord | null>;
  /**
   * Calls a job off. One that waits is `cancelled`; one that runs, in whatever process, is told to stop
   * (`requested`), and its verdict decides; one that has ended stays as it is (`finished`).
   */
  cancel(id: string): Promise<'cancelled' | 'requested' | 'finished' | 'unknown'>;
  /**
   * A job that has ended becomes available, with all its attempts (`attempt` and `crashes` 0, `result`
   * null, `errors` kept).
   *
   * @returns False for every other, and when its unique key is taken meanwhile.
   */
  retry(id: string): Promise<boolean>;
  /**
   * Forgets a job that is not running.
   *
   * @returns Whether there was one.
   */
  remove(id: string): Promise<boolean>;
  /** How many jobs of the queue are in each state. */
  counts(queue: string): Promise<Record<JobState, number>>;
  /** Every queue that has a job, is paused, or is worked on. */
  queues(): Promise<readonly string[]>;
  /** Jobs, newest first (capability `list`). */
  list?(query: ListQuery): Promise<Page<JobRecord>>;
  /** Notes how far a job is, from 0 to 1; only its running attempt may tell (capability `progress`). */
  setProgress?(job: JobRecord, fraction: number): Promise<void>;
  /** No new starts in any process, until `resume`; survives a restart (capability `pause`). */
  pause?(queue: string): Promise<void>;
  /** Ends a pause (capability `pause`). */
  resume?(queue: string): Promise<void>;
  /** Whether the queue is paused (capability `pause`). */
  isPaused?(queue: string): Promise<boolean>;
  /** Keeps `lastTickMs` of a schedule that exists with the same cron and time zone, else takes the given one. */
  putSchedule(schedule: Schedule): Promise<void>;
  /**
   * Forgets a schedule.
   *
   * @returns Whether there was one.
   */
  removeSchedule(key: string): Promise<boolean>;
  /** All schedules that were put. */
  schedules(): Promise<readonly Schedule[]>;
  /** Moves `lastTickMs` forward, never back; does nothing for a schedule that does not exist. */
  ticked(key: string, tickMs: number): Promise<void>;
  /**
   * Tells a listener of what happens to jobs; several may listen.
   *
   * @returns Ends it.
   */
  onEvent(listener: (event: JobEvent) => void): () => void;
  /**
   * Claims nothing more, waits for what runs up to `timeoutMs`, then stops the rest (`handed-back`) and
   * hands those jobs back without counting the attempt; then lets go of every resource. Everything but
   * `work` still answers until then, so that running jobs can enqueue. A second call waits for the first;
   * one to a driver that never started is harmless.
   *
   * @returns The jobs that were handed back.
   */
  stop(options: { readonly timeoutMs: number }): Promise<readonly JobRecord[]>;
}
