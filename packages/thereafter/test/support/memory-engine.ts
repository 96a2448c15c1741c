import { randomUUID } from 'node:crypto';
import {
  JobsNotStoredError,
  taskSpecOf,
  type JobEngine,
  type PreparedJob,
  type Runnable,
} from '@thereafter/tasks';

/** An engine that keeps jobs in a list and runs none: what the server asks of it can be seen. */
export class MemoryEngine implements JobEngine {
  readonly kind = 'job-engine';
  /** What was asked, in order, such as `store A,B`. */
  readonly calls: string[];
  /** What `store` waits for. */
  storing: Promise<void> = Promise.resolve();
  /** What `store` fails with. */
  fault: Error | undefined = undefined;

  constructor(calls: string[] = []) {
    this.calls = calls;
  }

  #note(verb: string, jobs?: readonly PreparedJob[]): void {
    this.calls.push(jobs ? `${verb} ${jobs.map(({ name }) => name).join(',')}` : verb);
  }

  register(): void {
    this.#note('register');
  }

  include(task: Runnable): void {
    this.#note(`include ${task.name}`);
  }

  start({ isWorker }: { readonly isWorker: boolean }): Promise<void> {
    this.#note(isWorker ? 'start as worker' : 'start');
    return Promise.resolve();
  }

  prepare(task: Runnable, payload: unknown): PreparedJob {
    const spec = taskSpecOf(task)!; // only tasks come here
    spec.check(payload);
    return { id: randomUUID(), name: spec.name, payload };
  }

  async store(jobs: readonly PreparedJob[]): Promise<void> {
    await this.storing;
    if (this.fault) throw new JobsNotStoredError(['the tasks'], { cause: this.fault });
    this.#note('store', jobs);
  }

  release(jobs: readonly PreparedJob[]): Promise<void> {
    this.#note('release', jobs);
    return Promise.resolve();
  }

  withdraw(jobs: readonly PreparedJob[]): Promise<void> {
    this.#note('withdraw', jobs);
    return Promise.resolve();
  }

  quiet(): void {
    this.#note('quiet');
  }

  close(): Promise<readonly string[]> {
    this.#note('close');
    return Promise.resolve([]);
  }
}
