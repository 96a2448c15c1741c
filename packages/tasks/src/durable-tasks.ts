import type { JobEngine, PreparedJob } from './durable.ts';
import { eventTime } from './events.ts';
import { mayRun, type Outcome, type RunOn } from './outcome.ts';
import type { TaskEntry, TaskHandle, TaskSettings, TaskStatus } from './queued-task.ts';
import type { TaskRunner } from './runner.ts';
import type { Runnable } from './task.ts';
import type { TaskHost } from './task-host.ts';

/**
 * The durable tasks of one request.
 *
 * They are collected until the reply is known, stored in one batch before it is written, and kept back
 * until it is over. One that is added later is stored at once: no reply is left to wait for it.
 */
export class DurableTasks {
  readonly #engine: JobEngine;
  readonly #runner: TaskRunner;
  readonly #host: TaskHost;
  #added: DurableTask[] = [];
  #stored: DurableTask[] = [];
  #isReplyKnown = false;

  constructor(engine: JobEngine, runner: TaskRunner, host: TaskHost) {
    this.#engine = engine;
    this.#runner = runner;
    this.#host = host;
  }

  add(task: Runnable, payload: unknown, { on = 'return' }: TaskSettings): DurableTask {
    const added = new DurableTask(task, this.#engine.prepare(task, payload), on, this.#host, this);
    this.#runner.acceptDurable(added);
    this.#added.push(added);
    if (!this.#isReplyKnown && !this.#host.isAnswered) this.#host.watch();
    else if (this.#added.length === 1) this.#runner.track(this.#storeLate());
    return added;
  }

  get #isOver(): boolean {
    return this.#host.outcome !== undefined;
  }

  /**
   * The reply is known: stores what may run after it, in one batch.
   *
   * @returns A promise if there is something to store. It rejects with `JOBS_NOT_STORED`, and then
   *   nothing is.
   */
  store(): Promise<void> | undefined {
    this.#isReplyKnown = true;
    return this.#added.length === 0 ? undefined : this.#storeBatch(this.#takeBatch());
  }

  #takeBatch(): readonly DurableTask[] {
    const added = this.#added;
    this.#added = [];
    return this.#takeAllowed(added);
  }

  async #storeBatch(batch: readonly DurableTask[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      await this.#engine.store(batch.map(({ job }) => job));
    } catch (error) {
      for (const task of batch) this.#runner.discard(task, 'notStored');
      throw error;
    }
    for (const task of batch) this.#runner.stored(task);
    this.#stored.push(...batch);
  }

  async #storeLate(): Promise<void> {
    await Promise.resolve(); // what else this turn adds comes into the same batch
    const batch = this.#takeBatch();
    try {
      await this.#storeBatch(batch);
    } catch (error) {
      for (const task of batch) this.#runner.lost(task, error);
    }
    if (this.#isOver) await this.release();
  }

  /** The response is over: what was stored may run, if its policy still allows it. Never rejects. */
  async release(): Promise<void> {
    const stored = this.#stored;
    if (stored.length === 0) return;
    this.#stored = [];
    const allowed = this.#takeAllowed(stored);
    const refused = stored.filter(({ status }) => status === 'discarded');
    if (allowed.length > 0) await this.#engine.release(allowed.map(({ job }) => job));
    if (refused.length > 0) await this.#engine.withdraw(refused.map(({ job }) => job));
  }

  /** Those that may run, as far as it is known how the response ends; the others are discarded. */
  #takeAllowed(tasks: readonly DurableTask[]): DurableTask[] {
    return tasks.filter((task) => {
      // Nobody knows yet whether it will be sent; until then it counts as if.
      const isAllowed = (task.on === 'sent' && !this.#isOver) || mayRun(task, this.#host);
      if (!isAllowed) this.#runner.discard(task, 'policy');
      return isAllowed;
    });
  }

  withdraw(task: DurableTask): boolean {
    const index = this.#added.indexOf(task);
    if (index === -1) return false;
    this.#added.splice(index, 1);
    this.#runner.discard(task, 'cancelled');
    return true;
  }
}

/** A task that becomes a job. It is its own handle. */
class DurableTask implements TaskHandle, TaskEntry {
  readonly task: Runnable;
  readonly job: PreparedJob;
  readonly on: RunOn;
  readonly isAfterFailure: boolean;
  readonly queuedAtMs: number | undefined = eventTime();
  readonly startedAtMs = undefined;
  status: TaskStatus = 'waiting';

  readonly #host: TaskHost;
  readonly #home: DurableTasks;

  constructor(task: Runnable, job: PreparedJob, on: RunOn, host: TaskHost, home: DurableTasks) {
    this.task = task;
    this.job = job;
    this.on = on;
    this.isAfterFailure = host.failure !== undefined;
    this.#host = host;
    this.#home = home;
  }

  get id(): string {
    return this.job.id;
  }

  get name(): string {
    return this.job.name;
  }

  get payload(): unknown {
    return this.job.payload;
  }

  get args(): readonly unknown[] {
    return [this.job.payload];
  }

  get requestId(): string {
    return this.#host.id;
  }

  get outcome(): Outcome | undefined {
    return this.#host.outcome;
  }

  /** Once it is stored, it is a job: `Jobs` cancels those. */
  cancel(): boolean {
    return this.#home.withdraw(this);
  }
}
