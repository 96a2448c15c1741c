import type { Logger } from '@thereafter/tasks';
import type { Clock } from './clock.ts';
import { JobCancelledError, JobHandedBackError } from './errors.ts';
import type { JobState } from './states.ts';

/*
 * The door `@thereafter/queue/driver`: what a store is written against, and all that it needs of this
 * package. A driver stores, claims and settles jobs; it knows nothing of task classes, schemas, backoff,
 * timeouts or cron: the engine above it owns those, so that every store behaves alike. Not covered by
 * semver: drivers are proven by the suite of `@thereafter/queue-conformance`, not by this text alone.
 *
 * Times are milliseconds since 1970, and come from the clock that `start` is given.
 */

export { ThereafterError } from '@thereafter/di';
export type { Logger } from '@thereafter/tasks';
export { systemClock, within, type Clock } from './clock.ts';
export { isFinal, JOB_STATES, MOVES, type JobState } from './states.ts';

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
  readonly task: string;
  /** JSON text. */
  readonly payload: string;
  /** 0 to 9, the lower the sooner. */
  readonly priority: number;
  /** Most runs, the first included. */
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

export interface ErrorInfo {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly attempt: number;
  readonly atMs: number;
}

/** A job as the store has it. */
export interface JobRecord {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  /** JSON text. */
  readonly payload: string;
  /** JSON text; null as long as it has not completed, and when it returned nothing. */
  readonly result: string | null;
  /** Of its last attempts, the newest last, at most `ERROR_HISTORY`. */
  readonly errors: readonly ErrorInfo[];
  /**
   * Runs begun that count, the running one included: 0 before the first. A crash counts, a snooze and a
   * hand-back do not: settling one takes 1 off. `retry` sets it to 0.
   */
  readonly attempt: number;
  readonly attempts: number;
  /** How often its worker was lost while it ran, since it was enqueued or retried. */
  readonly crashes: number;
  /** 0 to 1. */
  readonly progress: number;
  readonly priority: number;
  readonly enqueuedAtMs: number;
  readonly runAtMs: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly uniqueKey: string | null;
  readonly schedule: { readonly key: string; readonly forMs: number } | null;
  readonly traceparent: string | null;
}

/** How many errors a job remembers. */
export const ERROR_HISTORY = 10;

/**
 * How one attempt ended. The store settles it only if the attempt is still the running one: a late
 * outcome, of a worker that was taken for lost, is refused (`work` is told by `onStale`).
 */
export type Outcome =
  | { readonly type: 'complete'; readonly result?: string | undefined }
  | { readonly type: 'retry'; readonly delayMs: number; readonly error: ErrorInfo }
  | { readonly type: 'fail'; readonly error: ErrorInfo }
  | { readonly type: 'snooze'; readonly delayMs: number }
  | { readonly type: 'cancel'; readonly reason?: string | undefined };

/**
 * Runs one claimed job. Never rejects. The driver makes a `RunningJob` of what it claimed, keeps it while
 * it runs, and calls its `stop()` on cancellation, and when it must be handed back. A job that was asked
 * to stop for cancellation is still settled by its outcome; one that was handed back no longer is.
 */
export type RunJob = (running: RunningJob) => Promise<Outcome>;

/** Why a driver tells a job to stop. */
export type StopReason = 'cancelled' | 'handed-back';

export interface WorkOptions {
  /** Most jobs of the queue that run at once in this process. */
  readonly concurrency: number;
  /** How long a server waits for a sign of life before it takes the worker for lost. */
  readonly leaseMs: number;
  /** Told when an outcome came too late to count. */
  readonly onStale?: ((job: JobRecord) => void) | undefined;
}

export interface WorkerHandle {
  /** Claims nothing more; what runs goes on. */
  quiet(): void;
}

/**
 * What happened to a job, told to this process whichever process it happened in, if the store can. The
 * engine listens only while somebody waits for a job: with no listener, nothing need be made.
 */
export interface JobEvent {
  readonly type: 'stored' | 'available' | 'started' | 'progress' | JobState;
  readonly id: string;
  readonly queue: string;
}

export interface Schedule {
  readonly key: string;
  /** Cron syntax. */
  readonly cron: string;
  readonly timeZone: string;
  readonly task: string;
  /** The last tick for which a job was made; when none was, when the schedule was put. */
  readonly lastTickMs: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** Where the next page begins; undefined on the last one. */
  readonly cursor?: string | undefined;
}

export interface DriverStart {
  readonly clock: Clock;
  readonly log: Logger;
  /** How long ended jobs are kept. */
  readonly keepMs: {
    readonly completed: number;
    readonly failed: number;
    readonly cancelled: number;
  };
}

export interface JobDriver {
  readonly name: string;
  readonly capabilities: ReadonlySet<Capability>;
  /** Connects, checks settings, migrates, and gives back the jobs of workers that are no more. */
  start(options: DriverStart): Promise<void>;
  /** All of a call or nothing, per queue. Resolved: the jobs survive the death of any process. */
  enqueue(
    jobs: readonly NewJob[],
  ): Promise<readonly { readonly id: string; readonly duplicate: boolean }[]>;
  /** The jobs were enqueued with `isHeld`; now they may run. Unknown and cancelled ones are passed over. */
  release(jobs: readonly { readonly id: string; readonly queue: string }[]): Promise<void>;
  /**
   * Claims jobs of the queue and runs them until `quiet()` or `stop()`: by priority, then in the order in
   * which they became available. Lets the event loop turn between batches.
   */
  work(queue: string, options: WorkOptions, run: RunJob): WorkerHandle;
  get(id: string): Promise<JobRecord | null>;
  /** `requested`: it runs, and its signal aborts. */
  cancel(id: string): Promise<'cancelled' | 'requested' | 'finished' | 'unknown'>;
  /**
   * A job that has ended becomes available, with all its attempts (`attempt` and `crashes` 0, `result`
   * null, `errors` kept); false for every other, and when its unique key is taken meanwhile.
   */
  retry(id: string): Promise<boolean>;
  /** Forgets a job that is not running. */
  remove(id: string): Promise<boolean>;
  counts(queue: string): Promise<Record<JobState, number>>;
  /** Every queue that has a job, is paused, or is worked on. */
  queues(): Promise<readonly string[]>;
  /** Newest first (capability `list`). */
  list?(query: {
    readonly queue?: string | undefined;
    readonly state?: JobState | undefined;
    readonly task?: string | undefined;
    readonly limit: number;
    readonly cursor?: string | undefined;
  }): Promise<Page<JobRecord>>;
  /** Only the running attempt of `job` may tell (capability `progress`). */
  setProgress?(job: JobRecord, fraction: number): Promise<void>;
  /** No new starts in any process, until `resume`; survives a restart (capability `pause`). */
  pause?(queue: string): Promise<void>;
  resume?(queue: string): Promise<void>;
  isPaused?(queue: string): Promise<boolean>;
  /** Keeps `lastTickMs` of a schedule that exists with the same cron and time zone, else takes the given one. */
  putSchedule(schedule: Schedule): Promise<void>;
  removeSchedule(key: string): Promise<boolean>;
  schedules(): Promise<readonly Schedule[]>;
  /** Moves `lastTickMs` forward, never back; nothing for a schedule that does not exist. */
  ticked(key: string, tickMs: number): Promise<void>;
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

/** One attempt under way: what a driver hands to the engine, and how it tells it to stop. */
export class RunningJob {
  readonly record: JobRecord;
  #stopReason: StopReason | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #error: Error | undefined = undefined;

  constructor(record: JobRecord) {
    this.record = record;
  }

  /** Why the driver wants it to stop; undefined as long as it does not. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Made when somebody asks for it, which most jobs do not. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#error) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  /** Tells the job to stop, which it may ignore. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopReason) return;
    this.#stopReason = reason;
    const { task, id } = this.record;
    this.abort(
      reason === 'cancelled' ? new JobCancelledError(task, id) : new JobHandedBackError(task, id),
    );
  }

  /** Aborts the signal, unless it has been. */
  abort(error: Error): void {
    this.#error ??= error;
    this.#controller?.abort(this.#error);
  }
}
