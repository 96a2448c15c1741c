import { toTimeout, type Duration } from './duration.ts';
import type { PayloadOf, Runnable } from './task.ts';

/**
 * When a task runs, once the response is over.
 *
 * - `return` the handler returned, whatever the status, even if the client has left
 * - `sent` the response was handed to the operating system
 * - `error` the handler threw
 * - `always` in every case
 */
export type RunOn = 'return' | 'sent' | 'error' | 'always';

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

/** Options with their durations in numbers. */
export interface TaskSettings {
  readonly name?: string;
  readonly on?: RunOn;
  readonly timeoutMs?: number;
  readonly stopOnError?: boolean;
}

export interface TaskHandle {
  readonly id: string;
  readonly name: string;
  /** @returns Whether it came in time: a task that has started is not stopped. */
  cancel(): boolean;
}

export interface AddTask {
  /** A `@Task` class or task definition, with its payload. */
  <C extends Runnable>(task: C, payload: PayloadOf<C>): TaskHandle;
  /** A function, with its arguments. */
  <A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): TaskHandle;
}

/** Where added tasks go; see `TaskQueue`. */
export interface TaskSink {
  readonly size: number;
  push(task: unknown, args: readonly unknown[], settings: TaskSettings): TaskHandle;
}

/**
 * Takes work that is to be done after the response. Ask for it in a handler, a dependency or a
 * request-scoped class: within one request it is the same object everywhere.
 */
export class BackgroundTasks {
  readonly #sink: TaskSink;

  constructor(sink: TaskSink) {
    this.#sink = sink;
    this.add = adderTo(sink, NO_SETTINGS);
    this.addTask = this.add;
  }

  /** Tasks that have not started yet. */
  get size(): number {
    return this.#sink.size;
  }

  /**
   * Adds a task. Tasks of one request run one at a time, in the order in which they were added.
   *
   * @throws {TypeError} When the first argument cannot be run, such as a promise.
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
   * @throws {TypeError} When `timeout` is not a duration.
   */
  with({ timeout, ...options }: AddOptions): { readonly add: AddTask } {
    const settings: TaskSettings =
      timeout === undefined ? options : { ...options, timeoutMs: toTimeout(timeout) };
    return { add: adderTo(this.#sink, settings) };
  }
}

/**
 * Returned, and assigned elsewhere: V8 makes a function literal that stands right of `this.add =` in its
 * old space, where it keeps the request alive until a full collection. As the value of a variable or an
 * initialiser it would be given a name in a bundle, at a quarter of a microsecond.
 */
function adderTo(sink: TaskSink, settings: TaskSettings): AddTask {
  return (task: unknown, ...args: unknown[]) => sink.push(task, args, settings);
}

const NO_SETTINGS: TaskSettings = {};
