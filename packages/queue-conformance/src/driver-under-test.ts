import {
  defineTask,
  type Duration,
  type JobContext,
  type TaskDefinition,
  type TaskOptions,
} from '@thereafter/tasks';
import type { Capability, JobDriver, NewJob } from '@thereafter/queue/driver';
import type { JobsOptions } from '@thereafter/queue';
import { testJobs, type TestJobs } from '@thereafter/queue/testing';

/** An empty store, in a temporary folder, under a prefix of its own. Disposed after the test. */
export interface DriverPlace extends AsyncDisposable {
  /** What finds it from another process: a file, a URL. */
  readonly address: string;
  /** One more driver on it, not started. The suite stops each. */
  open(): JobDriver;
}

/** What the suite must know of a driver to test it. */
export interface DriverUnderTest {
  /** Makes an empty store. Called once or more for each test. */
  create(): DriverPlace | Promise<DriverPlace>;
  /** What the driver claims. */
  readonly capabilities: Iterable<Capability>;
  /**
   * A module that exports `openDriver(address: string): JobDriver`, for the tests that kill processes;
   * it must run in Node as it is, without decorators. Default: those tests are skipped.
   */
  readonly childModule?: URL;
  /** Whether several drivers of one process may run jobs of one place. Default false. */
  readonly sharesPlace?: boolean;
  /**
   * The lease of jobs in the tests that kill their process. Default an hour: the store is to find out by
   * itself, and soon, that a process is dead.
   */
  readonly lease?: Duration;
}

/** A task whose payload may be anything. */
export type AnyTask = TaskDefinition<unknown>;

/** A task of a test: a name, what it does, and options. */
export function task(
  name: string,
  run: (payload: never, job: JobContext) => unknown,
  options: TaskOptions = {},
): AnyTask {
  return defineTask({ ...options, name, payload: {} }, ({ payload, job }) =>
    run(payload as never, job),
  );
}

/** A job as the engine would make it. */
export function newJob(id: string, more: Partial<NewJob> = {}): NewJob {
  return {
    id,
    queue: 'default',
    task: 'noop',
    payload: '{}',
    priority: 5,
    attempts: 5,
    runAtMs: Date.now(),
    ...more,
  };
}

/** What `jobs()` takes, but for the driver. */
export type OpenOptions = Omit<JobsOptions, 'driver'>;

/** Opens places and engines for tests, and closes whatever is open at the end of each. */
export class Rig {
  readonly driver: DriverUnderTest;
  #open = new AsyncDisposableStack();

  constructor(driver: DriverUnderTest) {
    this.driver = driver;
  }

  can(capability: Capability): boolean {
    return [...this.driver.capabilities].includes(capability);
  }

  /** Ends with the test. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#open.use(resource);
  }

  async place(): Promise<DriverPlace> {
    return this.use(await this.driver.create());
  }

  /** An engine on a place, default on one of its own. */
  async open(
    tasks: readonly AnyTask[],
    { place, ...options }: OpenOptions & { readonly place?: DriverPlace } = {},
  ): Promise<TestJobs & { readonly driver: JobDriver }> {
    const driver = (place ?? (await this.place())).open();
    const opened = this.use(await testJobs({ ...options, tasks, driver }));
    return Object.assign(opened, { driver });
  }

  async closeAll(): Promise<void> {
    const open = this.#open;
    this.#open = new AsyncDisposableStack();
    await open.disposeAsync();
  }
}

/** Counts arrivals; others wait for the nth. */
export class Arrivals<T = unknown> {
  readonly all: T[] = [];
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  add(value: T): void {
    this.all.push(value);
    for (const { count, resolve } of this.#waiting) if (this.all.length >= count) resolve();
  }

  async reach(count: number): Promise<readonly T[]> {
    if (this.all.length < count) {
      await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
    }
    return this.all;
  }
}

/** Ends when the signal aborts, by throwing its reason. */
export function untilAborted({ signal }: JobContext): Promise<never> {
  return new Promise((_resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}

const POLL_MS = 5;

/** Asks until the answer is the one that is waited for. */
export async function until<T>(
  ask: () => Promise<T | null | undefined>,
  isRight: (answer: T) => boolean,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && isRight(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
