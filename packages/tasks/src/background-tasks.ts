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
  push(task: unknown, args: readonly unknown[], options: AddOptions): TaskHandle;
}

/**
 * Takes work that is to be done after the response. Ask for it in a handler, a dependency or a
 * request-scoped class: within one request it is the same object everywhere.
 */
export class BackgroundTasks {
  readonly #sink: TaskSink;

  constructor(sink: TaskSink) {
    this.#sink = sink;
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
   * @throws {TasksClosedError} `TASKS_CLOSED` when the app is closed.
   */
  readonly add: AddTask = (task: unknown, ...args: unknown[]) => this.#sink.push(task, args, {});

  /** The same as `add`, for those who come from FastAPI. */
  readonly addTask: AddTask = this.add;

  /** Sets options for the tasks that are added through the result. */
  with(options: AddOptions): { readonly add: AddTask } {
    return { add: (task: unknown, ...args: unknown[]) => this.#sink.push(task, args, options) };
  }
}
