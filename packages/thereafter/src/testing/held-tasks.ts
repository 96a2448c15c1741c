import type { AddedTask, PayloadOf, Runnable, TaskRunner } from '@thereafter/tasks';

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
export class HeldTasks implements TestTasks {
  readonly #runner: TaskRunner;
  readonly #isHolding: boolean;

  constructor(runner: TaskRunner, isHolding: boolean) {
    this.#runner = runner;
    this.#isHolding = isHolding;
    if (isHolding) runner.hold();
    else runner.record();
  }

  added<C extends Runnable>(task?: C): readonly AddedTask<PayloadOf<C>>[] {
    // A payload was checked by the schema of its task when it was added.
    return this.#runner.added(task) as readonly AddedTask<PayloadOf<C>>[];
  }

  drain(): Promise<void> {
    return this.#isHolding ? this.#runner.drain() : this.#runner.settled();
  }

  async settled(): Promise<void> {
    const held = this.#runner.added().filter(({ status }) => status === 'waiting');
    if (this.#isHolding && held.length > 0) {
      const names = held.map(({ name }) => name).join(', ');
      throw new Error(`settled() would wait forever: ${names} is held. Use drain().`);
    }
    await this.#runner.settled();
  }
}
