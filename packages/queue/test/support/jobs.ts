import {
  defineTask,
  type JobContext,
  type TaskDefinition,
  type TaskOptions,
} from '@thereafter/tasks';
import { afterEach } from 'vitest';
import type { NewJob } from '../../src/driver.ts';
import { MemoryStore } from '../../src/testing/memory-store.ts';
import { memory, type MemoryDriver } from '../../src/testing/memory.ts';
import { testJobs, type TestJobs, type TestJobsOptions } from '../../src/testing/test-jobs.ts';

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
  const job = { id, queue: 'default', task: 'noop', payload: '{}', priority: 5, attempts: 5 };
  return { ...job, runAtMs: Date.now(), ...more };
}

/** What is open while a test runs, and closed after it. */
export class OpenJobs {
  #open = new AsyncDisposableStack();

  constructor() {
    afterEach(() => this.#closeAll());
  }

  /** Ends with the test. */
  use<T extends AsyncDisposable | Disposable>(resource: T): T {
    return this.#open.use(resource);
  }

  /** An engine on jobs in memory. */
  async open(
    tasks: TestJobsOptions['tasks'],
    {
      store = new MemoryStore(),
      ...options
    }: Omit<TestJobsOptions, 'driver' | 'tasks'> & { readonly store?: MemoryStore } = {},
  ): Promise<TestJobs & { readonly driver: MemoryDriver }> {
    const driver = memory({ store });
    return Object.assign(this.use(await testJobs({ ...options, tasks, driver })), { driver });
  }

  async #closeAll(): Promise<void> {
    const open = this.#open;
    this.#open = new AsyncDisposableStack();
    await open.disposeAsync();
  }
}

/** Counts arrivals; others wait for the nth. */
export class Arrivals<T = unknown> {
  readonly all: T[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

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

/** Asks until the answer is the one that is waited for. */
export async function until<T>(
  ask: () => Promise<T | null | undefined>,
  isRight: (answer: T) => boolean,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== null && isRight(answer)) return answer;
    await new Promise(setImmediate);
  }
}
