import { ArgumentError, type Container, type Plan } from '@thereafter/di';
import type { JobEngine } from './durable.ts';
import { toMilliseconds, type Duration } from './duration.ts';
import {
  JobEngineMissingError,
  TaskAbandonedError,
  TasksClosedError,
  TasksFullError,
  TaskTimeoutError,
} from './errors.ts';
import { eventTime, publish, type DiscardReason } from './events.ts';
import { Fifo } from './fifo.ts';
import { BackgroundJob, QueuedTask, type TaskEntry } from './queued-task.ts';
import type { TaskRecorder } from './recorder.ts';
import { SlowTasks } from './slow-tasks.ts';
import { TaskList } from './task-list.ts';
import { taskSpecOf, type Logger, type Runnable, type TaskSpec } from './task.ts';
import { ThreadPool } from './thread-pool.ts';
import { within } from './within.ts';

/** What is known of a task that failed. */
export interface TaskFailure {
  readonly taskId: string;
  readonly taskName: string;
  readonly requestId?: string;
  /** 1 for the first run. */
  readonly attempt: number;
}

/** Is told of a task that failed. What it throws or rejects with is logged. */
export type TaskErrorHandler = (error: unknown, failure: TaskFailure) => unknown;

/** How many background tasks an app takes. */
export interface TaskLimits {
  /** Most tasks that wait; beyond, `add()` throws `TASKS_FULL`. Default 10,000. */
  readonly maxPending?: number;
  /** Most tasks that run at once; beyond, the others wait. Default 1,000. */
  readonly maxRunning?: number;
  /** How many tasks of one request run at once. Default 1: one after another. */
  readonly concurrency?: number;
  /**
   * How long a task may run until that is logged, once, since it would be better off as a durable job;
   * false for never. Default `'10s'`.
   */
  readonly slowAfter?: Duration | false;
}

export interface TaskRunnerOptions extends TaskLimits {
  /** Builds task classes and what task definitions ask for. */
  readonly container: Container;
  readonly log: Logger;
  /** Stores durable tasks. */
  readonly engine?: JobEngine | undefined;
}

/** The background tasks of an app, from outside. */
export interface AppTasks {
  /** Tasks that were added and have not ended. */
  readonly pending: number;
  /** Waits until no task is left, those included that tasks add. */
  settled(): Promise<void>;
}

/** Runs the tasks of all requests of an app, one at a time when their queues say so, and knows what is not finished. */
export class TaskRunner implements AppTasks {
  /** Notes what is added and may let nothing start; `undefined` but in tests. */
  recorder: TaskRecorder | undefined = undefined;
  /** Is told of tasks that fail; default: a line in the log. What it throws or rejects is logged. */
  onError: TaskErrorHandler | undefined = undefined;
  readonly concurrency: number;
  readonly threads: ThreadPool = new ThreadPool();

  readonly #container: Container;
  readonly #log: Logger;
  readonly #engine: JobEngine | undefined;
  readonly #maxPending: number;
  readonly #maxRunning: number;
  readonly #plans = new Map<TaskSpec, Plan>();
  /** For tasks that were not included: what they need is planned when they first run. */
  readonly #unplanned: Plan;
  /** Waiting and running tasks. */
  readonly #unfinished = new TaskList();
  #running = 0;
  /** Work besides: scopes that end, error handlers. */
  #tracked = 0;
  readonly #whenSettled: (() => void)[] = [];
  /** Who waits until fewer tasks run. */
  readonly #whenTurn = new Fifo<() => void>();
  readonly #slow: SlowTasks | undefined;
  #isClosed = false;

  constructor({
    container,
    log,
    engine,
    maxPending = 10_000,
    maxRunning = 1000,
    concurrency = 1,
    slowAfter = '10s',
  }: TaskRunnerOptions) {
    this.#container = container;
    this.#log = log;
    this.#engine = engine;
    this.#maxPending = maxPending;
    this.#maxRunning = maxRunning;
    this.concurrency = concurrency;
    if (slowAfter !== false) {
      const running = (): QueuedTask[] =>
        this.#unfinished.toArray().filter(({ status }) => status === 'running');
      this.#slow = new SlowTasks(toMilliseconds(slowAfter), running, log);
    }
    this.#unplanned = container.plan([], { name: 'a task', kind: 'task' });
  }

  /**
   * Plans a task at start, so that what it cannot be given is reported there.
   *
   * @throws {JobEngineMissingError} `TASK_NEEDS_ENGINE` for a durable task without a job engine.
   */
  include(task: Runnable): void {
    const spec = taskSpecOf(task);
    if (!spec)
      throw new ArgumentError(`${task.name} is not a task. Decorate it with @Task(schema).`);
    this.#engine?.include(task, this.#container);
    if (spec.options.durable) return void this.engineFor(spec);
    const needs = [{ label: 'the task', key: spec.key }];
    this.#plans.set(spec, this.#container.plan(needs, { name: spec.name, kind: 'task' }));
  }

  /** Tells of tasks that run for long from now on, until `close()`. */
  start(): void {
    this.#slow?.start();
  }

  get pending(): number {
    return this.#unfinished.size;
  }

  /** The names of the tasks that have not ended. */
  get unfinished(): readonly string[] {
    return this.#unfinished.toArray().map(({ name }) => name);
  }

  /**
   * What stores the durable tasks of this spec.
   *
   * @throws {TasksClosedError} `TASKS_CLOSED` when the app is closed.
   * @throws {JobEngineMissingError} `TASK_NEEDS_ENGINE` when there is no engine.
   */
  engineFor({ name }: TaskSpec): JobEngine {
    if (this.#isClosed) throw new TasksClosedError(name);
    if (!this.#engine) throw new JobEngineMissingError(name);
    return this.#engine;
  }

  /**
   * Takes note of a background task.
   *
   * @throws {TasksClosedError} `TASKS_CLOSED` when it would never be run.
   * @throws {TasksFullError} `TASKS_FULL` when too many wait.
   */
  accept(entry: QueuedTask): void {
    if (this.#isClosed) throw new TasksClosedError(entry.name);
    if (this.#unfinished.size - this.#running >= this.#maxPending) {
      throw new TasksFullError(entry.name, this.#maxPending);
    }
    this.#unfinished.add(entry);
    this.recorder?.added.push(entry);
    publish('queued', entry);
  }

  /**
   * Asks whether a task may start.
   *
   * @returns A promise as long as none may: ask again when it resolves. `undefined` when one may.
   */
  turn(): Promise<void> | undefined {
    const gate = this.recorder?.gate;
    if (gate) return gate;
    if (this.#running < this.#maxRunning) return undefined;
    return new Promise((resolve) => this.#whenTurn.push(resolve));
  }

  /** Gives a turn that was not used to the next who waits for one. */
  passTurn(): void {
    if (this.#running < this.#maxRunning) this.#whenTurn.shift()?.();
  }

  /** Runs one task and survives whatever it does. @returns A promise only when there is something to wait for. */
  run(entry: QueuedTask): Promise<void> | undefined {
    this.#running += 1;
    entry.status = 'running';
    entry.startedAtMs = eventTime();
    publish('started', entry);
    const { timeoutMs } = entry;
    if (timeoutMs !== undefined) {
      entry.timer = setTimeout(() => this.#timeOut(entry, timeoutMs), timeoutMs);
    }
    let result: unknown;
    try {
      result = entry.call(this.#runSpec);
    } catch (error) {
      this.#fail(entry, error);
      return undefined;
    }
    if (!isThenable(result)) {
      this.#end(entry, 'succeeded');
      return undefined;
    }
    return new Promise((resolve) => {
      entry.onEnd = resolve; // also called when it times out or is abandoned
      Promise.resolve(result).then(
        () => this.#end(entry, 'succeeded'),
        (error: unknown) => this.#fail(entry, error),
      );
    });
  }

  /** Runs a class or definition in a scope of its own. */
  readonly #runSpec = async (spec: TaskSpec, entry: QueuedTask): Promise<unknown> => {
    const job = new BackgroundJob(entry);
    await using scope = this.#container.openScope(this.#plans.get(spec) ?? this.#unplanned, job);
    const run = async (): Promise<unknown> => {
      await scope.run();
      const built = await scope.get(spec.key as never); // a key is what can be asked for
      return spec.call(built, entry.payload, job);
    };
    // For lazy(), which otherwise would read the scope of the request that added the task.
    return await (this.#container.tracksScopes ? this.#container.enter(scope, run) : run());
  };

  #fail(entry: QueuedTask, error: unknown): void {
    if (this.#end(entry, 'failed', error)) this.#report(entry, error);
  }

  #timeOut(entry: QueuedTask, timeoutMs: number): void {
    const error = new TaskTimeoutError(entry.name, timeoutMs);
    entry.abort(error);
    if (this.#end(entry, 'timedOut', error)) this.#report(entry, error);
  }

  /** @returns False when it had ended before, timed out or abandoned: the first end counts. */
  #end(
    entry: QueuedTask,
    status: 'succeeded' | 'failed' | 'timedOut' | 'abandoned',
    error?: unknown,
  ): boolean {
    if (!this.#unfinished.delete(entry)) return false;
    if (entry.timer) clearTimeout(entry.timer);
    if (entry.status === 'running') this.#running -= 1;
    entry.status = status;
    publish(status, entry, { error });
    entry.onEnd?.();
    this.passTurn();
    this.#checkSettled();
    return true;
  }

  /** Takes note of a durable task that is to be stored. */
  acceptDurable(task: TaskEntry): void {
    this.recorder?.added.push(task);
    publish('queued', task);
  }

  /** Takes note of a durable task that the engine has. */
  stored(task: TaskEntry): void {
    task.status = 'stored';
    publish('stored', task);
  }

  /** Takes note of a durable task that could not be stored when no response was left to say so. */
  lost(task: TaskEntry, error: unknown): void {
    this.#report(task, error);
  }

  /** Takes note of a task that will not run. */
  discard(entry: TaskEntry, reason: DiscardReason): void {
    if (entry instanceof QueuedTask && !this.#unfinished.delete(entry)) return; // abandoned
    entry.status = 'discarded';
    publish('discarded', entry, { reason });
    this.#log.info({ ...toFailure(entry), reason }, 'background task discarded');
    this.#checkSettled();
  }

  #report(entry: TaskEntry, error: unknown): void {
    const failure = toFailure(entry);
    const log = (): void => this.#log.error({ err: error, ...failure }, 'background task failed');
    if (!this.onError) return log();
    const onBroken = (broken: unknown): void => {
      log();
      this.#log.error({ err: broken, ...failure }, 'the onTaskError handler failed');
    };
    try {
      const handled = this.onError(error, failure);
      if (isThenable(handled)) this.track(Promise.resolve(handled).then(() => undefined, onBroken));
    } catch (broken) {
      onBroken(broken);
    }
  }

  /** Keeps track of work that runs outside of any request. */
  track(work: Promise<void>): void {
    this.enter();
    const leave = (): void => this.leave();
    void work.then(leave, leave);
  }

  /** Somebody is at work, until `leave()` is called as often. */
  enter(): void {
    this.#tracked += 1;
  }

  leave(): void {
    this.#tracked -= 1;
    this.#checkSettled();
  }

  get #isSettled(): boolean {
    return this.#unfinished.size === 0 && this.#tracked === 0;
  }

  #checkSettled(): void {
    if (this.#whenSettled.length === 0 || !this.#isSettled) return;
    for (const resolve of this.#whenSettled.splice(0)) resolve();
  }

  settled(): Promise<void> {
    if (this.#isSettled) return Promise.resolve();
    return new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /**
   * Waits for all tasks until the deadline, then aborts the signals of those that run, ends their
   * threads, and takes no more. Held tasks are discarded.
   *
   * @param timeoutMs - Longest wait, for all tasks together.
   * @returns The names of the tasks that were cut.
   */
  async close(timeoutMs: number): Promise<readonly string[]> {
    if (this.recorder?.gate) {
      for (const entry of this.#unfinished.toArray()) this.discard(entry, 'held');
      this.recorder.release();
    }
    await within(timeoutMs, this.settled());
    this.#slow?.stop();
    this.#isClosed = true;
    const abandoned = this.#unfinished.toArray();
    const names = abandoned.map(({ name }) => name);
    if (names.length > 0) this.#log.error({ abandoned: names }, 'background tasks were abandoned');
    for (const entry of abandoned) {
      const error = new TaskAbandonedError(entry.name);
      entry.abort(error);
      this.#end(entry, 'abandoned', error);
    }
    // Their scopes can end now. They get a moment for it, since a disposer may hang as a task can.
    await within(GRACE_MS, Promise.all([this.settled(), this.threads.close()]));
    return names;
  }
}

const GRACE_MS = 400;

function toFailure({ id, name, requestId }: TaskEntry): TaskFailure {
  return { taskId: id, taskName: name, requestId, attempt: 1 };
}

/** Whether a value has to be waited for. One that throws at whoever looks at it has not. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}
