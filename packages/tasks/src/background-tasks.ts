import { toTimeout, type Duration } from './duration.ts';
import { assertRunOn, type RunOn } from './outcome.ts';
import type { TaskHandle, TaskSettings } from './queued-task.ts';
import type { PayloadOf, Runnable } from './task.ts';
import type { TaskQueue } from './task-queue.ts';

/** How the tasks run that are added through `tasks.with(options)`. */
export interface AddOptions {
  /** For logs and events; default: the name of the function or task. */
  readonly name?: string;
  /** Default `'return'`. A task that does not run is reported as discarded. */
  readonly on?: RunOn;
  /** Longest run; then the signal aborts and the next task starts. Default: that of the task, else none. */
  readonly timeout?: Duration;
  /** Whether the tasks of the request that have not started are discarded when this one fails. */
  readonly stopOnError?: boolean;
}

/** Adds a task, see `BackgroundTasks.add`. */
export interface AddTask {
  /** A `@Task` class or task definition, with its payload. */
  <C extends Runnable>(task: C, payload: PayloadOf<C>): TaskHandle;
  /** A function, with its arguments. */
  <A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): TaskHandle;
}

/**
 * Takes work that is to be done after the response. Ask for it in a handler, a dependency or a
 * request-scoped class: within one request it is the same object everywhere.
 */
export class BackgroundTasks {
  readonly #queue: TaskQueue;

  constructor(queue: TaskQueue) {
    this.#queue = queue;
    this.add = adderTo(queue, NO_SETTINGS);
    this.addTask = this.add;
  }

  /** Tasks that have not started yet. */
  get size(): number {
    return this.#queue.size;
  }

  /**
   * Adds a task. Tasks of one request run one at a time, in the order in which they were added.
   *
   * @throws {ArgumentError} When the first argument cannot be run, such as a promise.
   * @throws {PayloadError} `TASK_PAYLOAD` when the payload does not fit the task's schema.
   * @throws {TasksFullError} `TASKS_FULL` when too many tasks of the app wait. Left alone, the client gets 503.
   * @throws {JobEngineMissingError} `TASK_NEEDS_ENGINE` for a durable task without a job engine.
   * @throws {TasksClosedError} `TASKS_CLOSED` when the app is closed.
   */
  readonly add: AddTask;

  /** The same as `add`, for those who come from FastAPI. */
  readonly addTask: AddTask;

  /**
   * Sets options for the tasks that are added through the result.
   *
   * @throws {ArgumentError} When `timeout` is not a duration, or `on` none of its words.
   */
  with({ timeout, ...options }: AddOptions): { readonly add: AddTask } {
    if (options.on !== undefined) assertRunOn(options.on);
    const settings: TaskSettings =
      timeout === undefined ? options : { ...options, timeoutMs: toTimeout(timeout) };
    return { add: adderTo(this.#queue, settings) };
  }
}

/**
 * Returned, and assigned elsewhere: V8 makes a function literal that stands right of `this.add =` in its
 * old space, where it keeps the request alive until a full collection. As the value of a variable or an
 * initialiser it would be given a name in a bundle, at a quarter of a microsecond.
 */
function adderTo(queue: TaskQueue, settings: TaskSettings): AddTask {
  return (task: unknown, ...args: unknown[]) => queue.push(task, args, settings);
}

const NO_SETTINGS: TaskSettings = {};
