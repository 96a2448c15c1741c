import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type Duration, type PayloadOf, type Runnable } from '@thereafter/tasks';
import type { JobDriver } from './driver.ts';
import { JobsUnsupportedError, JobUnknownError } from './errors.ts';
import type { EnqueueOptions, JobStore } from './job-store.ts';
import type { JobTasks } from './job-tasks.ts';
import { toJob, toNewJob, type Job } from './job.ts';
import { planCron } from './schedule.ts';
import { JOB_STATES, noCounts, type JobState } from './states.ts';
import { Waiters } from './waiters.ts';

/** Which jobs, and how many. */
export interface ListOptions {
  /** Only jobs in this state. */
  readonly state?: JobState;
  /** Only jobs of this queue. */
  readonly queue?: string;
  /** Only jobs of the task with this name. */
  readonly task?: string;
  /** Most jobs of the page: 1 to 1,000, default 100. */
  readonly limit?: number;
  /** The `next` of the page before; default the newest jobs. */
  readonly after?: string;
}

/** Jobs, and where the next page begins; `next` is undefined on the last one. */
export type JobPage = readonly Job[] & { readonly next?: string | undefined };

/** What is going on in a queue. */
export interface QueueStatus {
  readonly name: string;
  /** Whether its jobs wait for `resume()`; false for a store that cannot pause. */
  readonly isPaused: boolean;
  /** How many of its jobs are in each state. */
  readonly counts: Record<JobState, number>;
}

/** A schedule that the store has. */
export interface ScheduleStatus {
  /** The name of the task whose jobs it makes. */
  readonly task: string;
  /** As in the options of the task. */
  readonly cron: string;
  /** As in the options of the task, `'UTC'` if there is none. */
  readonly timeZone: string;
  /** When its next job is due; null for an expression that never comes again. */
  readonly nextRunAt: Date | null;
}

/**
 * Stores jobs and steers them. Ask for it by its type, in handlers, tasks and jobs. It works from the
 * start of the app to its end: each method throws `JOBS_NOT_STARTED` before, and `JOBS_CLOSED` after.
 */
export class Jobs {
  readonly #store: JobStore;
  readonly #tasks: JobTasks;
  readonly #waiters = new Waiters();

  /** @internal */
  constructor(store: JobStore, tasks: JobTasks) {
    this.#store = store;
    this.#tasks = tasks;
  }

  /**
   * Stores a job. When this resolves, the job survives the death of this process.
   *
   * @param options - How the job differs from what its task says; default in nothing.
   * @returns The job; if another has its unique key already, that one, and nothing is stored.
   * @throws {TaskNotIncludedError} `JOB_TASK_NOT_INCLUDED`
   * @throws {NotJsonError} `JOB_PAYLOAD_NOT_JSON`
   * @throws {TooLargeError} `JOB_PAYLOAD_TOO_LARGE`
   * @throws {PayloadError} `TASK_PAYLOAD` when the payload does not fit the schema.
   * @throws {JobsNotStoredError} `JOBS_NOT_STORED` when the store takes nothing now.
   */
  async enqueue<C extends Runnable>(
    task: C,
    payload: PayloadOf<C>,
    options?: EnqueueOptions,
  ): Promise<Job> {
    const job = this.#store.newJob(this.#tasks.of(task), payload, options);
    const [stored] = await this.#store.put([job]);
    return stored!.duplicate
      ? await this.#duplicate(stored!.id)
      : toNewJob(job, this.#store.clock.now());
  }

  /**
   * Stores many jobs of a task, all or none; much faster than one by one.
   *
   * @returns The jobs, in the order of the payloads; an empty list for an empty list.
   * @throws What `enqueue` throws.
   */
  async enqueueMany<C extends Runnable>(
    task: C,
    payloads: readonly PayloadOf<C>[],
    options?: EnqueueOptions,
  ): Promise<readonly Job[]> {
    const included = this.#tasks.of(task);
    const jobs = payloads.map((payload) => this.#store.newJob(included, payload, options));
    if (jobs.length === 0) return [];
    const stored = await this.#store.put(jobs);
    const nowMs = this.#store.clock.now();
    if (!stored.some(({ duplicate }) => duplicate)) return jobs.map((job) => toNewJob(job, nowMs));
    return await Promise.all(
      jobs.map(async (job, i) =>
        stored[i]!.duplicate ? await this.#duplicate(stored[i]!.id) : toNewJob(job, nowMs),
      ),
    );
  }

  async #duplicate(id: string): Promise<Job> {
    const job = await this.get(id);
    if (!job) throw new JobUnknownError(id); // it ended and was forgotten meanwhile
    return job;
  }

  /** Returns a job as it is now; undefined when there is none with this id, or no longer. */
  async get(id: string): Promise<Job | undefined> {
    const record = await this.#store.driver.get(id);
    return record ? toJob(record) : undefined;
  }

  /**
   * Waits until a job has completed, failed or been cancelled, in whatever process.
   *
   * @param options.timeout - Longest wait; default as long as it takes.
   * @throws {JobWaitError} `JOB_WAIT_TIMEOUT`; the job goes on.
   * @throws {JobUnknownError} `JOB_UNKNOWN`
   * @throws The reason of `options.signal`, when it aborts.
   */
  async wait(
    id: string,
    options: { readonly timeout?: Duration; readonly signal?: AbortSignal } = {},
  ): Promise<Job> {
    const { timeout, signal } = options;
    const waiting = this.#waiters.forEnd(this.#store.driver, id, {
      timeoutMs: timeout && toMilliseconds(timeout),
      signal,
    });
    return toJob(await waiting);
  }

  /**
   * Calls a job off. One that runs is asked to stop, by its signal: it is `cancelled` if it throws, and
   * `completed` if it returns all the same.
   *
   * @returns Whether there was something to call off; false for a job that has ended or does not exist.
   */
  async cancel(id: string): Promise<boolean> {
    const answer = await this.#store.driver.cancel(id);
    return answer === 'cancelled' || answer === 'requested';
  }

  /**
   * Runs a job again that has ended, with all its attempts.
   *
   * @returns Whether it will; false for a job that has not ended or does not exist, and when another has
   *   its unique key.
   */
  async retry(id: string): Promise<boolean> {
    return await this.#store.driver.retry(id);
  }

  /**
   * Forgets a job, unless it runs.
   *
   * @returns Whether it did.
   */
  async remove(id: string): Promise<boolean> {
    return await this.#store.driver.remove(id);
  }

  /**
   * Lists jobs, the newest first.
   *
   * @throws {ArgumentError} When the limit is not a whole number from 1 to 1,000.
   * @throws {JobsUnsupportedError} `JOBS_UNSUPPORTED` when the store cannot list.
   */
  async list(options: ListOptions = {}): Promise<JobPage> {
    const { limit = 100, after, ...filter } = options;
    if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE) {
      throw new ArgumentError(`A page has 1 to ${MAX_PAGE} jobs, and not ${limit}.`);
    }
    const { driver } = this.#store;
    if (!driver.list) throw new JobsUnsupportedError(driver.name, 'list jobs');
    const { items, cursor } = await driver.list({ ...filter, limit, cursor: after });
    return Object.assign(items.map(toJob), { next: cursor });
  }

  /** Counts the jobs in each state, of one queue or, by default, of all. */
  async counts(queue?: string): Promise<Record<JobState, number>> {
    const { driver } = this.#store;
    if (queue !== undefined) return await driver.counts(queue);
    const total = noCounts();
    for (const name of await driver.queues()) {
      const counts = await driver.counts(name);
      for (const state of JOB_STATES) total[state] += counts[state];
    }
    return total;
  }

  /** Lists every queue that has a job, is paused, or is worked on. */
  async queues(): Promise<readonly QueueStatus[]> {
    const { driver } = this.#store;
    const names = await driver.queues();
    return await Promise.all(
      names.map(async (name) => ({
        name,
        isPaused: (await driver.isPaused?.(name)) ?? false,
        counts: await driver.counts(name),
      })),
    );
  }

  /** Lists the schedules that this program or others have put into the store, by the names of their tasks. */
  async schedules(): Promise<readonly ScheduleStatus[]> {
    const { driver, clock } = this.#store;
    const schedules = await driver.schedules();
    return schedules
      .map(({ task, cron, timeZone }) => {
        const nextMs = planCron(task, cron, timeZone).next(clock.now());
        return { task, cron, timeZone, nextRunAt: nextMs === undefined ? null : new Date(nextMs) };
      })
      .toSorted((a, b) => (a.task < b.task ? -1 : 1));
  }

  /**
   * Starts no more jobs of a queue, in any process, until `resume()`. Those that run go on, and more can
   * be enqueued.
   *
   * @throws {JobsUnsupportedError} `JOBS_UNSUPPORTED` when the store cannot pause.
   */
  async pause(queue: string): Promise<void> {
    await this.#pausing.pause(queue);
  }

  /**
   * Ends a pause: jobs of the queue are started again. Does nothing for a queue that is not paused.
   *
   * @throws {JobsUnsupportedError} `JOBS_UNSUPPORTED` when the store cannot pause.
   */
  async resume(queue: string): Promise<void> {
    await this.#pausing.resume(queue);
  }

  get #pausing(): Required<Pick<JobDriver, 'pause' | 'resume'>> {
    const { driver } = this.#store;
    if (!driver.pause || !driver.resume) {
      throw new JobsUnsupportedError(driver.name, 'pause a queue');
    }
    return driver as Required<JobDriver>; // it was asked for both
  }
}

const MAX_PAGE = 1000;
