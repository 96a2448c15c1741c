import {
  taskSpecOf,
  type PayloadOf,
  type Runnable,
  type TaskRunner,
  type TaskStatus,
  type TaskWatch,
  type WatchedTask,
} from '@thereafter/tasks';

/** A background task that was added. */
export interface AddedTask<P = unknown> {
  readonly id: string;
  readonly name: string;
  /** Of a task class or definition: its payload; of a function: its first argument. */
  readonly payload: P;
  /** Now; a held task is `waiting`. */
  readonly status: TaskStatus;
}

/** The background tasks of an app under test. */
export interface TestTasks {
  /** All tasks, or those of one class or definition, in the order in which they were added. */
  added(): readonly AddedTask[];
  added<C extends Runnable>(task: C): readonly AddedTask<PayloadOf<C>>[];
  /**
   * Runs the held tasks, and what they add, and waits for all of them. Tasks that are added later are
   * held again.
   */
  drain(): Promise<void>;
  /** Waits until no task is left. Held ones would never end: use `drain()` for them. */
  settled(): Promise<void>;
}

/** Notes every task and, in hold mode, lets none run until it is told to. */
export class HeldTasks implements TaskWatch, TestTasks {
  readonly #runner: TaskRunner;
  readonly #isHolding: boolean;
  readonly #added = new Map<WatchedTask, TaskStatus>();
  #open: PromiseWithResolvers<'run' | 'discard'> = Promise.withResolvers();
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(runner: TaskRunner, isHolding: boolean) {
    this.#runner = runner;
    this.#isHolding = isHolding;
    if (!isHolding) this.#open.resolve('run');
    runner.watch = this;
  }

  gate(): Promise<'run' | 'discard'> {
    return this.#open.promise;
  }

  changed(task: WatchedTask, status: TaskStatus): void {
    this.#added.set(task, status);
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  added<C extends Runnable>(task?: C): readonly AddedTask<PayloadOf<C>>[] {
    const spec = task && taskSpecOf(task);
    return [...this.#added]
      .filter(([entry]) => task === undefined || (spec !== undefined && entry.spec === spec))
      .map(([{ id, name, payload }, status]) => ({
        id,
        name,
        payload: payload as PayloadOf<C>, // checked by the task's schema when it was added
        status,
      }));
  }

  async drain(): Promise<void> {
    this.#open.resolve('run');
    await this.#ended();
    if (this.#isHolding) this.#open = Promise.withResolvers();
  }

  async settled(): Promise<void> {
    const held = [...this.#added].filter(([, status]) => status === 'waiting');
    if (this.#isHolding && held.length > 0) {
      const names = held.map(([{ name }]) => name).join(', ');
      throw new Error(`settled() would wait forever: ${names} is held. Use drain().`);
    }
    await this.#ended();
  }

  /** A response may be read here before its server knows that it is over, so tasks are counted. */
  async #ended(): Promise<void> {
    while ([...this.#added.values()].some((s) => s === 'waiting' || s === 'running')) {
      await this.#change.promise;
    }
    await this.#runner.settled();
  }

  /** Lets go of what is held, without running it, so that its requests end. */
  discard(): void {
    this.#open.resolve('discard');
  }
}
