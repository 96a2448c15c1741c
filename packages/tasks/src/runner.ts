import type { Container, Plan } from '@thereafter/di';
import { setTimeout as delay } from 'node:timers/promises';
import { TasksClosedError } from './errors.ts';
import { taskSpecOf, type JobContext, type Logger, type Runnable, type TaskSpec } from './task.ts';
import { TaskQueue, type QueuedTask, type QueueOwner, type TaskHost } from './task-queue.ts';

/** What is known of a task that failed. */
export interface TaskFailure {
  readonly taskId: string;
  readonly taskName: string;
  readonly requestId?: string;
  /** 1 for the first run. */
  readonly attempt: number;
}

export type TaskErrorHandler = (error: unknown, failure: TaskFailure) => void;

/** Where a task is in its life. */
export type TaskStatus = 'waiting' | 'running' | 'succeeded' | 'failed' | 'discarded';

/** What a test puts between the runner and the tasks. */
export interface TaskWatch {
  /** Asked before the tasks of a request run, which waits for the answer. */
  gate(): Promise<'run' | 'discard'>;
  /** Told of each step of each task. */
  changed(task: WatchedTask, status: TaskStatus): void;
}

/** What a watch sees of a task. */
export type WatchedTask = Pick<QueuedTask, 'id' | 'name' | 'spec' | 'payload'>;

export interface TaskRunnerOptions {
  /** Builds task classes and what task definitions ask for. */
  readonly container: Container;
  readonly log: Logger;
}

/** What runs, per app: makes the queue of each request, and knows what is not finished. */
export class TaskRunner implements QueueOwner {
  /** Is told of tasks that fail; default: a line in the log. */
  onError: TaskErrorHandler = (error, failure) =>
    this.#log.error({ err: error, ...failure }, 'background task failed');

  /** Sees and holds tasks, in tests. */
  watch: TaskWatch | undefined = undefined;

  readonly #container: Container;
  readonly #log: Logger;
  readonly #plans = new Map<TaskSpec, Plan>();
  /** For tasks that were not included: what they need is planned when they first run. */
  readonly #unplanned: Plan;
  readonly #unfinished = new Set<QueuedTask>();
  readonly #tracked = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #isClosed = false;

  constructor({ container, log }: TaskRunnerOptions) {
    this.#container = container;
    this.#log = log;
    this.#unplanned = container.plan([], { name: 'a task', kind: 'task' });
  }

  /** Plans a task at start, so that what it cannot be given is reported there. */
  include(task: Runnable): void {
    const spec = taskSpecOf(task);
    if (!spec) throw new TypeError(`${task.name} is not a task. Decorate it with @Task(schema).`);
    const needs = [{ label: 'the task', key: spec.key }];
    this.#plans.set(spec, this.#container.plan(needs, { name: spec.name, kind: 'task' }));
  }

  /** The queue of a new request. */
  queue(host: TaskHost): TaskQueue {
    return new TaskQueue(this, host);
  }

  /** Tasks that were added and have not ended, running ones included. */
  get pending(): number {
    return this.#unfinished.size;
  }

  accept(entry: QueuedTask): void {
    if (this.#isClosed) throw new TasksClosedError(entry.name);
    this.#unfinished.add(entry);
    this.watch?.changed(entry, 'waiting');
  }

  gate(): Promise<'run' | 'discard'> | undefined {
    return this.watch?.gate();
  }

  discard(entry: QueuedTask): void {
    this.#unfinished.delete(entry);
    this.watch?.changed(entry, 'discarded');
    this.#log.info(
      { task: entry.name, taskId: entry.id, requestId: entry.requestId },
      'background task discarded',
    );
  }

  track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#tracked.delete(tracked));
    this.#tracked.add(tracked);
  }

  async run(entry: QueuedTask): Promise<void> {
    this.watch?.changed(entry, 'running');
    try {
      await entry.call((spec) => this.#runSpec(spec, entry));
      this.watch?.changed(entry, 'succeeded');
    } catch (error) {
      this.watch?.changed(entry, 'failed');
      this.#report(error, entry);
    } finally {
      this.#unfinished.delete(entry);
    }
  }

  async #runSpec(spec: TaskSpec, entry: QueuedTask): Promise<unknown> {
    const job: JobContext = {
      id: entry.id,
      attempt: 1,
      signal: this.#stop.signal,
      log: this.#log,
      progress: () => Promise.resolve(), // nobody can ask a background task how far it is
    };
    await using scope = this.#container.openScope(this.#plans.get(spec) ?? this.#unplanned, job);
    await scope.run();
    const built = await scope.get(spec.key as never);
    return await spec.call(built, entry.payload, job);
  }

  #report(error: unknown, entry: QueuedTask): void {
    const failure: TaskFailure = {
      taskId: entry.id,
      taskName: entry.name,
      requestId: entry.requestId,
      attempt: 1,
    };
    try {
      this.onError(error, failure);
    } catch (handlerError) {
      this.#log.error({ err: error, ...failure }, 'background task failed');
      this.#log.error({ err: handlerError }, 'the onTaskError handler failed');
    }
  }

  /** Waits until no task is left, whatever tasks add meanwhile. */
  async settled(): Promise<void> {
    while (this.#tracked.size > 0) await Promise.allSettled(this.#tracked);
  }

  /**
   * Waits for all tasks until the deadline, then aborts the signals of those that run, and takes no
   * more.
   *
   * @returns The names of the tasks that were cut.
   */
  async close(deadlineMs: number): Promise<readonly string[]> {
    const timeout = new AbortController();
    await Promise.race([
      this.settled(),
      delay(deadlineMs, undefined, { signal: timeout.signal }).catch(() => undefined),
    ]);
    timeout.abort();
    this.#isClosed = true;
    this.#stop.abort(new Error('the app is closing'));
    return [...this.#unfinished].map(({ name }) => name);
  }
}
