import { ArgumentError } from '@thereafter/di';
import { AsyncResource } from 'node:async_hooks';
import { currentTask, type CurrentTask } from './current-task.ts';
import { eventTime, type TASK_ENDS, type TaskSubject } from './events.ts';
import type { Outcome, RunOn } from './outcome.ts';
import { isClass, type JobContext, type Logger, type TaskSpec } from './task.ts';
import type { TaskHost } from './task-host.ts';
import type { ThreadPool } from './thread-pool.ts';

/**
 * - `waiting` for the end of the response, the tasks before it, or a place
 * - `running`
 * - `succeeded`, `failed` it ended by itself
 * - `timedOut` it ran longer than it may; what it still does is nobody's business
 * - `stored` it was durable, and is a job now
 * - `discarded` it will not run: by policy, cancelled, or because one before it failed
 * - `abandoned` cut by the shutdown, running or waiting
 *
 * The first two lead on, the others are final.
 */
export type TaskStatus = 'waiting' | 'running' | 'stored' | (typeof TASK_ENDS)[number];

/** A task that was added. */
export interface TaskHandle {
  readonly id: string;
  readonly name: string;
  /** @returns Whether it came in time: a task that has started is not stopped. */
  cancel(): boolean;
}

/** A task that was added, as tests see it. */
export interface AddedTask<P = unknown> {
  readonly id: string;
  readonly name: string;
  /** Of a class or definition: its payload; of a function: its first argument. */
  readonly payload: P;
  readonly args: readonly unknown[];
  readonly status: TaskStatus;
  /** What was added: a function, a class or a definition. */
  readonly task: unknown;
}

/** A task that was added, as the runner sees it, whether it runs here or becomes a job. */
export interface TaskEntry extends TaskSubject, AddedTask {
  status: TaskStatus;
}

/** The options of `tasks.with()`, with their durations in numbers. */
export interface TaskSettings {
  readonly name?: string;
  readonly on?: RunOn;
  readonly timeoutMs?: number;
  readonly stopOnError?: boolean;
}

/** Where a task waits. */
export interface TaskHome {
  readonly threads: ThreadPool;
  /** Takes the task out again. @returns Whether it came in time. */
  withdraw(entry: QueuedTask): boolean;
}

let nodeCrypto: typeof import('node:crypto') | undefined;

/** An import would load all of Node's crypto at the start, for an id that few tasks are asked for. */
function randomUUID(): string {
  return (nodeCrypto ??= process.getBuiltinModule('node:crypto')).randomUUID();
}

/** Nobody listens for the end of this resource, so none is reported. */
const MANUAL_DESTROY = { requireManualDestroy: true };

/** One background task. It is its own handle. */
export class QueuedTask implements TaskHandle, TaskEntry, CurrentTask {
  readonly task: unknown;
  readonly args: readonly unknown[];
  readonly name: string;
  readonly on: RunOn;
  readonly spec: TaskSpec | undefined;
  readonly timeoutMs: number | undefined;
  readonly stopsOthers: boolean;
  /** Whether it was added once the request had failed, as by an error handler. */
  readonly isAfterFailure: boolean;
  readonly queuedAtMs: number | undefined = eventTime();
  status: TaskStatus = 'waiting';
  startedAtMs: number | undefined = undefined;
  /** Its neighbours among those that have not ended. */
  links: { before: QueuedTask | undefined; after: QueuedTask | undefined } | undefined = undefined;
  /** Set while it runs, if it has a timeout. */
  timer: NodeJS.Timeout | undefined = undefined;
  /** Set while it runs, if somebody waits for its end. */
  onEnd: (() => void) | undefined = undefined;

  readonly #host: TaskHost;
  readonly #home: TaskHome;
  /**
   * Remembers the async-local stores that are current when the task is added. `snapshot()` would do as
   * well, at a hundred times the cost.
   */
  readonly #origin = new AsyncResource('BackgroundTask', MANUAL_DESTROY);
  #id: string | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #abortReason: unknown = undefined;

  /** @throws {ArgumentError} When the first argument cannot be run. */
  constructor(
    task: unknown,
    spec: TaskSpec | undefined,
    args: readonly unknown[],
    settings: TaskSettings,
    host: TaskHost,
    home: TaskHome,
  ) {
    if (spec) spec.check(args[0]);
    else assertFunction(task);
    this.task = task;
    this.args = args;
    this.spec = spec;
    this.name =
      settings.name ?? spec?.name ?? ((task as { name: string }).name || 'an anonymous function');
    this.on = settings.on ?? 'return';
    this.timeoutMs = settings.timeoutMs ?? spec?.timeoutMs;
    this.stopsOthers = settings.stopOnError ?? false;
    this.isAfterFailure = host.failure !== undefined;
    this.#host = host;
    this.#home = home;
  }

  get id(): string {
    return (this.#id ??= randomUUID());
  }

  get requestId(): string {
    return this.#host.id;
  }

  get outcome(): Outcome | undefined {
    return this.#host.outcome;
  }

  get log(): Logger {
    return this.#host.log;
  }

  get threads(): ThreadPool {
    return this.#home.threads;
  }

  get hasFailed(): boolean {
    return this.status === 'failed' || this.status === 'timedOut';
  }

  get payload(): unknown {
    return this.args[0];
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  cancel(): boolean {
    return this.status === 'waiting' && this.#home.withdraw(this);
  }

  /** Calls the function of the task, or `runSpec` for a task with a spec, where it was added. */
  call(runSpec: (spec: TaskSpec, entry: QueuedTask) => unknown): unknown {
    return this.#origin.runInAsyncScope(enter, undefined, this, runSpec);
  }
}

/** The one function that is called in a task's context; a closure for each task would cost more. */
function enter(
  entry: QueuedTask,
  runSpec: (spec: TaskSpec, entry: QueuedTask) => unknown,
): unknown {
  const { spec, task, args } = entry;
  if (spec) return currentTask.run(entry, runSpec, spec, entry);
  return currentTask.run(entry, task as (...args: readonly unknown[]) => unknown, ...args);
}

/** What a background task is told of its run. */
export class BackgroundJob implements JobContext {
  readonly attempt = 1;
  readonly #entry: QueuedTask;

  constructor(entry: QueuedTask) {
    this.#entry = entry;
  }

  get id(): string {
    return this.#entry.id;
  }

  get outcome(): Outcome | undefined {
    return this.#entry.outcome;
  }

  get signal(): AbortSignal {
    return this.#entry.signal;
  }

  get log(): Logger {
    return this.#entry.log;
  }

  /** Does nothing: nobody can ask a background task how far it is. */
  progress(): Promise<void> {
    return Promise.resolve();
  }
}

function isReference(value: unknown): value is object {
  return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

function assertFunction(task: unknown): void {
  if (isClass(task)) {
    throw new ArgumentError(
      `tasks.add() got the class ${task.name}, which is not a task. Decorate it with @Task(schema).`,
    );
  }
  const isPromise = isReference(task) && 'then' in task; // some can be called
  if (typeof task === 'function' && !isPromise) return;
  throw new ArgumentError(
    isPromise
      ? 'tasks.add() got a promise: the work has already begun. Pass the function and its arguments: ' +
          'tasks.add(send, email) instead of tasks.add(send(email)).'
      : `tasks.add() wants a function, a @Task class or a task definition, and got ${task === null ? 'null' : typeof task}.`,
  );
}
