import { ThereafterError } from '@thereafter/di';
import {
  TaskRecorder,
  type AddedTask,
  type PayloadOf,
  type Runnable,
  type TaskRunner,
} from '@thereafter/tasks';
import { insidesOf, type App } from '../app.ts';

/**
 * Holds the background tasks of an app, from now on: they are recorded, and wait for `drain()`. For an app
 * that listens; `testApp()` does it with `{ tasks: 'hold' }`.
 */
export function holdTasks(app: App): TestTasks {
  const tasks = new TestTasks(insidesOf(app).runner);
  tasks.hold();
  return tasks;
}

/** The background tasks of an app under test. */
export class TestTasks {
  readonly #runner: TaskRunner;
  readonly #recorder: TaskRecorder;
  #isHolding = false;

  constructor(runner: TaskRunner) {
    this.#runner = runner;
    this.#recorder = runner.recorder ??= new TaskRecorder();
  }

  /** All tasks, or those of one function, class or definition, in the order in which they were added. */
  added(): readonly AddedTask[];
  added<C extends Runnable>(task: C): readonly AddedTask<PayloadOf<C>>[];
  added(task: (...args: never[]) => unknown): readonly AddedTask[];
  added(task?: unknown): readonly AddedTask[] {
    const { added } = this.#recorder;
    return added.filter((entry) => task === undefined || entry.task === task);
  }

  /** Lets no task start until `drain()`. Those that run go on. */
  hold(): void {
    this.#isHolding = true;
    this.#recorder.hold();
  }

  /**
   * Runs the held tasks, and what they add, and waits for all of them. Tasks that are added later are
   * held again.
   */
  async drain(): Promise<void> {
    this.#recorder.release();
    await this.#runner.settled();
    if (this.#isHolding) this.#recorder.hold();
  }

  /**
   * Waits until no task is left.
   *
   * @throws {TasksHeldError} `TASKS_HELD` when a held one would make it wait forever: use `drain()`.
   */
  async settled(): Promise<void> {
    const held = this.#recorder.added.filter(({ status }) => status === 'waiting');
    if (this.#isHolding && held.length > 0) {
      throw new TasksHeldError(held.map(({ name }) => name));
    }
    await this.#runner.settled();
  }
}

/** The wait for tasks that are held would never end. */
class TasksHeldError extends ThereafterError {
  readonly code = 'TASKS_HELD';

  constructor(names: readonly string[]) {
    super(`settled() would wait forever: ${names.join(', ')} is held. Use drain().`);
  }
}
