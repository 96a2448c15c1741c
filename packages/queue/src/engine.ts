import { AsyncLocalStorage } from 'node:async_hooks';
import { ArgumentError, type Container } from '@thereafter/di';
import {
  EngineAdmin,
  ThreadPool,
  toMilliseconds,
  type Duration,
  type EngineHost,
  type JobEngine,
  type Logger,
  type PreparedJob,
  type Runnable,
} from '@thereafter/tasks';
import { systemClock, type Clock } from './clock.ts';
import type { Attempt, JobDriver, NewJob, WorkerHandle } from './driver.ts';
import type { Tracing } from './events.ts';
import { JobStore } from './job-store.ts';
import { JobTasks, type JobTask } from './job-tasks.ts';
import { Jobs } from './jobs.ts';
import { JobLifecycle } from './lifecycle.ts';
import { Scheduler } from './schedule.ts';
import type { FinalState } from './states.ts';

/** What `jobs()` takes. */
export interface JobsOptions {
  /** Where jobs are stored: `sqlite({ file })`, a store of another package, or `memory()` for tests. */
  readonly driver: JobDriver;
  /**
   * Which jobs this process runs; default those of all queues. With false it runs none and only enqueues,
   * unless it was started as a worker.
   */
  readonly worker?: false | WorkerOptions;
  /** How long jobs are kept once they have ended; default `'1d'`, failed ones `'30d'`. */
  readonly keep?: Partial<Readonly<Record<FinalState, Duration>>>;
  /**
   * How long a server waits for a sign of life before it takes a worker for lost; default `'15s'`. A
   * program that blocks the event loop for longer is taken for lost while it works.
   */
  readonly lease?: Duration;
  /** How jobs take part in traces; default not at all. */
  readonly tracing?: Tracing;
  /** Where the time comes from, for tests; default that of the machine. */
  readonly clock?: Clock;
}

/** Which jobs this process runs. */
export interface WorkerOptions {
  /** Most jobs of each queue that run at once in this process; default 10. */
  readonly concurrency?: number;
  /** Only jobs of these queues; default the queues of all tasks that are included. */
  readonly queues?: readonly string[];
}

const DEFAULT_CONCURRENCY = 10;

/** A checked job that was given out by `prepare`. */
interface Prepared extends PreparedJob {
  readonly job: NewJob;
}

/**
 * The engine of durable jobs: what `jobs()` makes.
 *
 * - new: register, include
 * - started: jobs are stored, run and made of schedules
 * - quiet: no job is started any more
 * - closed: the store is let go
 */
export class Engine implements JobEngine {
  readonly kind = 'job-engine';
  readonly #options: JobsOptions;
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #keepMs: Readonly<Record<FinalState, number>>;
  readonly #tasks = new JobTasks();
  readonly #threads = new ThreadPool();
  readonly #store: JobStore;
  readonly #jobs: Jobs;
  #log: Logger | undefined = undefined;
  /** One for each queue that this process works on: a full queue does not hold up another. */
  #workers: readonly WorkerHandle[] = [];
  #scheduler: Scheduler | undefined = undefined;
  #closing: Promise<readonly string[]> | undefined = undefined;

  /** @throws {ArgumentError} When an option is out of range. */
  constructor(options: JobsOptions) {
    const { driver, worker, keep = {}, lease = '15s', clock = systemClock, tracing } = options;
    if (worker) assertConcurrency(worker.concurrency ?? DEFAULT_CONCURRENCY);
    this.#options = options;
    this.#clock = clock;
    this.#leaseMs = toMilliseconds(lease);
    this.#keepMs = {
      completed: toMilliseconds(keep.completed ?? '1d'),
      failed: toMilliseconds(keep.failed ?? '30d'),
      cancelled: toMilliseconds(keep.cancelled ?? '1d'),
    };
    this.#store = new JobStore(driver, clock, tracing);
    this.#jobs = new Jobs(this.#store, this.#tasks);
  }

  register(container: Container): void {
    container.provide(Jobs, { value: this.#jobs });
    container.provide(EngineAdmin, { value: this.#jobs });
  }

  include(task: Runnable, container: Container): void {
    this.#tasks.include(task, container);
  }

  async start(host: EngineHost): Promise<void> {
    const { driver, worker } = this.#options;
    this.#log = host.log;
    // Before anything is connected: what is wrong with a schedule needs no store to be seen.
    const scheduler = this.#planSchedules(host.log);
    await driver.start({ clock: this.#clock, log: host.log, keepMs: this.#keepMs });
    this.#store.open();
    if (worker === false && !host.isWorker) return;
    try {
      this.#workers = this.#startWorkers(host, worker || {});
      await scheduler.start();
      this.#scheduler = scheduler;
    } catch (error) {
      await scheduler.stop();
      await this.close(0);
      throw error;
    }
  }

  #startWorkers({ container, log }: EngineHost, options: WorkerOptions): readonly WorkerHandle[] {
    const { driver, tracing } = this.#options;
    const lifecycle = new JobLifecycle({
      tasks: this.#tasks,
      driver,
      container,
      log,
      clock: this.#clock,
      threads: this.#threads,
      tracing,
      random: Math.random,
    });
    const run = lifecycle.run.bind(lifecycle);
    // A driver claims wherever it is woken, within a request that enqueues say: a job must not see that
    // request's async-local values.
    const apart = AsyncLocalStorage.snapshot();
    const runApart = (attempt: Attempt): Promise<void> => apart(run, attempt);
    const { concurrency = DEFAULT_CONCURRENCY, queues = this.#tasks.queues } = options;
    const leaseMs = this.#leaseMs;
    return queues.map((queue) => driver.work(queue, { concurrency, leaseMs }, runApart));
  }

  #planSchedules(log: Logger): Scheduler {
    const store = this.#store;
    const scheduler = new Scheduler({
      driver: this.#options.driver,
      clock: this.#clock,
      log,
      toJob: (task, tick) => toTickJob(store, task, tick),
      enqueue: (made) => store.put(made),
    });
    for (const task of this.#tasks.all()) scheduler.add(task);
    return scheduler;
  }

  prepare(task: Runnable, payload: unknown): Prepared {
    const job = this.#store.newJob(this.#tasks.of(task), payload);
    return { id: job.id, name: job.task, payload, job: { ...job, isHeld: true } };
  }

  async store(prepared: readonly PreparedJob[]): Promise<void> {
    await this.#store.put(prepared.map(jobOf));
  }

  async release(prepared: readonly PreparedJob[]): Promise<void> {
    await this.#survive('release', async () => {
      await this.#store.driver.release(prepared.map(jobOf));
    });
  }

  async withdraw(prepared: readonly PreparedJob[]): Promise<void> {
    await this.#survive('withdraw', async () => {
      const { driver } = this.#store;
      await Promise.all(
        // Held for too long it may run already.
        prepared.map(async ({ id }) => (await driver.remove(id)) || (await driver.cancel(id))),
      );
    });
  }

  /** The store frees held jobs by itself, if it is not told. */
  async #survive(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#log?.error({ err: error }, `the job store failed to ${what} jobs`);
    }
  }

  quiet(): void {
    for (const worker of this.#workers) worker.quiet();
    void this.#scheduler?.stop();
  }

  close(timeoutMs: number): Promise<readonly string[]> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<readonly string[]> {
    this.quiet();
    let handedBack: readonly string[] = [];
    await this.#survive('stop', async () => {
      await this.#scheduler?.stop();
      const left = await this.#options.driver.stop({ timeoutMs });
      handedBack = left.map(({ task }) => task);
    });
    this.#store.close();
    await this.#threads.close();
    return handedBack;
  }
}

/** Of `prepare`: it gives nothing else. */
function jobOf(prepared: PreparedJob): NewJob {
  return (prepared as Prepared).job;
}

/** The id makes a second job of the tick a duplicate, in whatever process. */
function toTickJob(
  store: JobStore,
  task: JobTask,
  tick: { readonly key: string; readonly forMs: number },
): NewJob {
  const { overlap = 'allow' } = task.spec.options;
  const job = store.newJob(task, {}, overlap === 'skip' ? { unique: `cron ${tick.key}` } : {});
  return { ...job, id: `${tick.key}@${tick.forMs}`, schedule: tick };
}

function assertConcurrency(concurrency: number): void {
  if (Number.isInteger(concurrency) && concurrency >= 1) return;
  throw new ArgumentError(
    `The concurrency of a worker is a whole number from 1, and not ${concurrency}.`,
  );
}
