import { ArgumentError } from '@thereafter/di';
import { randomUUID } from 'node:crypto';
import { JobsNotStoredError, toMilliseconds, type Duration } from '@thereafter/tasks';
import type { Clock } from './clock.ts';
import type { JobDriver, NewJob, Stored } from './driver.ts';
import { JobsStateError } from './errors.ts';
import { publishEnqueued, type Tracing } from './events.ts';
import { assertPriority, type JobTask } from './job-tasks.ts';
import { toPayloadText } from './json.ts';

/** How a job differs from what its task says. */
export interface EnqueueOptions {
  /** It does not run before this has passed. Not together with `runAt`. */
  readonly delay?: Duration;
  /** It does not run before this; a time that has passed means now. */
  readonly runAt?: Date;
  /** 0 to 9, the lower the sooner; default that of the task. */
  readonly priority?: number;
  /** At most one job of the task that is scheduled, available or running has this key; default that of the task. */
  readonly unique?: string;
}

/** Makes jobs, and puts them into the store as long as that is open. */
export class JobStore {
  readonly clock: Clock;
  readonly #driver: JobDriver;
  readonly #tracing: Tracing | undefined;
  #state: 'new' | 'open' | 'closed' = 'new';

  constructor(driver: JobDriver, clock: Clock, tracing: Tracing | undefined) {
    this.#driver = driver;
    this.clock = clock;
    this.#tracing = tracing;
  }

  open(): void {
    this.#state = 'open';
  }

  close(): void {
    this.#state = 'closed';
  }

  /** @throws {JobsStateError} `JOBS_NOT_STARTED`, `JOBS_CLOSED` */
  get driver(): JobDriver {
    if (this.#state === 'open') return this.#driver;
    throw new JobsStateError(this.#state === 'new' ? 'JOBS_NOT_STARTED' : 'JOBS_CLOSED');
  }

  /**
   * Checks a payload and makes a job of it. Nothing is stored.
   *
   * @throws {ThereafterError} When the payload cannot be stored, or does not fit the schema.
   * @throws {ArgumentError} When an option is out of range.
   */
  newJob(task: JobTask, payload: unknown, options: EnqueueOptions = {}): NewJob {
    const { spec } = task;
    const { priority = task.priority } = options;
    const text = toPayloadText(payload, spec.name);
    spec.check(payload);
    if (options.priority !== undefined) assertPriority(priority);
    const key = options.unique ?? spec.options.unique?.(payload);
    const { uniqueForMs } = task;
    const nowMs = this.clock.now();
    return {
      id: newJobId(nowMs),
      queue: task.queue,
      task: spec.name,
      payload: text,
      priority,
      attempts: task.attempts,
      runAtMs: dueAt(options, nowMs),
      uniqueKey: key === undefined ? undefined : `${spec.name}:${key}`,
      uniqueUntilMs:
        key === undefined || uniqueForMs === undefined ? undefined : nowMs + uniqueForMs,
      traceparent: this.#tracing?.current(),
    };
  }

  /**
   * Stores jobs, all or none.
   *
   * @throws {JobsStateError} `JOBS_NOT_STARTED`, `JOBS_CLOSED`
   * @throws {JobsNotStoredError} `JOBS_NOT_STORED`
   */
  async put(jobs: readonly NewJob[]): Promise<readonly Stored[]> {
    const { driver } = this;
    let stored;
    try {
      stored = await driver.enqueue(jobs);
    } catch (cause) {
      const names = new Set(jobs.map(({ task }) => task));
      throw new JobsNotStoredError([...names], { cause });
    }
    publishEnqueued(jobs, stored, this.clock.now());
    return stored;
  }
}

function dueAt({ delay, runAt }: EnqueueOptions, nowMs: number): number {
  if (delay !== undefined && runAt !== undefined) {
    throw new ArgumentError('A job has a delay or a runAt, not both.');
  }
  if (delay !== undefined) return nowMs + toMilliseconds(delay);
  if (runAt === undefined) return nowMs;
  const runAtMs = runAt.getTime();
  if (Number.isNaN(runAtMs)) throw new ArgumentError('The runAt of a job is not a valid date.');
  return Math.max(runAtMs, nowMs);
}

/**
 * The id of a new job: a UUID of version 7 (RFC 9562), whose first 48 bits are the time. Ids that are
 * made one after another lie beside one another in the index of a store, which halves the cost of
 * storing a job.
 */
export function newJobId(nowMs: number): string {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
