import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { setImmediate as nextMacrotask } from 'node:timers/promises';
import type { AddOptions, RunOn, TaskHandle, TaskSink } from './background-tasks.ts';
import { isClass, taskSpecOf, type TaskSpec } from './task.ts';

/** How a response ended: handed to the operating system, left by the client, or broken by its own body. */
export type Outcome = 'sent' | 'aborted' | 'failed';

/** What is known when the response is over; decides which tasks run. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Whether the handler, or something before it, threw. */
  readonly threw: boolean;
}

/** What a queue needs of its request. */
export interface TaskHost {
  /** For logs; asked only when a task needs it. */
  readonly id: string;
  /** Called at the first task: from now on somebody waits for the end of the response. */
  expectEnd(): void;
}

/** What a queue needs of the app's runner. */
export interface QueueOwner {
  /** @throws {TasksClosedError} When nothing would run the task any more. */
  accept(entry: QueuedTask): void;
  /** Runs one task and survives whatever it does. */
  run(entry: QueuedTask): Promise<void>;
  /** Takes note of a task that will not run. */
  discard(entry: QueuedTask): void;
  /** Keeps track of work that runs outside of any request. */
  track(work: Promise<void>): void;
  /** Asked before tasks run; nothing means that they may. */
  gate(): Promise<'run' | 'discard'> | undefined;
}

/** One added task. It is its own handle. */
export class QueuedTask implements TaskHandle {
  readonly name: string;
  readonly on: RunOn;
  readonly spec: TaskSpec | undefined;
  readonly #fn: ((...args: readonly unknown[]) => unknown) | undefined;
  readonly #args: readonly unknown[];
  readonly #host: TaskHost;
  /** Runs a function with the async-local stores that were current when the task was added. */
  readonly #inContext = AsyncLocalStorage.snapshot();
  #id: string | undefined;
  #withdraw: (() => boolean) | undefined;

  constructor(
    task: unknown,
    args: readonly unknown[],
    options: AddOptions,
    host: TaskHost,
    withdraw: (entry: QueuedTask) => boolean,
  ) {
    this.spec = typeof task === 'function' || isObject(task) ? taskSpecOf(task) : undefined;
    if (!this.spec) assertFunction(task);
    this.spec?.check(args[0]);
    this.#fn = this.spec ? undefined : (task as (...args: readonly unknown[]) => unknown);
    this.#args = args;
    this.name =
      options.name ?? this.spec?.name ?? (nameOfFunction(task) || 'an anonymous function');
    this.on = options.on ?? 'return';
    this.#host = host;
    this.#withdraw = () => withdraw(this);
  }

  get id(): string {
    return (this.#id ??= randomUUID());
  }

  get requestId(): string {
    return this.#host.id;
  }

  get payload(): unknown {
    return this.#args[0];
  }

  cancel(): boolean {
    return this.#withdraw?.() ?? false;
  }

  /** Calls the function of the task, or `run` for a task with a spec, where it was added. */
  call(runSpec: (spec: TaskSpec) => unknown): unknown {
    this.#withdraw = undefined;
    return this.#inContext(() => (this.spec ? runSpec(this.spec) : this.#fn!(...this.#args)));
  }
}

/**
 * The tasks of one request.
 *
 * - open: the response is not over; tasks are collected
 * - draining: it is over; what the verdict allows runs, one at a time, whatever is added meanwhile too
 * - drained: nothing is left; a task that still comes starts a drain of its own
 */
export class TaskQueue implements TaskSink {
  readonly #owner: QueueOwner;
  readonly #host: TaskHost;
  readonly #waiting: QueuedTask[] = [];
  #verdict: Verdict | undefined;
  #isDraining = false;

  constructor(owner: QueueOwner, host: TaskHost) {
    this.#owner = owner;
    this.#host = host;
  }

  get size(): number {
    return this.#waiting.length;
  }

  push(task: unknown, args: readonly unknown[], options: AddOptions): TaskHandle {
    const entry = new QueuedTask(task, args, options, this.#host, (e) => this.#withdraw(e));
    this.#owner.accept(entry);
    this.#waiting.push(entry);
    this.#host.expectEnd();
    if (this.#verdict && !this.#isDraining) this.#owner.track(this.#drain(this.#verdict));
    return entry;
  }

  /**
   * Runs the tasks; the response is over, and this is how it ended.
   *
   * @returns Settles when the queue is empty; never rejects.
   */
  async release(verdict: Verdict): Promise<void> {
    this.#verdict = verdict;
    await this.#drain(verdict);
  }

  async #drain(verdict: Verdict): Promise<void> {
    this.#isDraining = true;
    // Waiting, if only for a turn: not within the call of add() or an event listener.
    const isDiscarded = (await this.#owner.gate()) === 'discard';
    for (let entry; (entry = this.#waiting.shift());) {
      if (isDiscarded || !allows(entry.on, verdict)) {
        this.#owner.discard(entry);
        continue;
      }
      await this.#owner.run(entry);
      // Lets other requests be served between synchronous tasks.
      if (this.#waiting.length > 0) await nextMacrotask();
    }
    this.#isDraining = false;
  }

  #withdraw(entry: QueuedTask): boolean {
    const index = this.#waiting.indexOf(entry);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#owner.discard(entry);
    return true;
  }
}

function allows(on: RunOn, { outcome, threw }: Verdict): boolean {
  switch (on) {
    case 'return':
      return !threw;
    case 'sent':
      return outcome === 'sent';
    case 'error':
      return threw;
    case 'always':
      return true;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function nameOfFunction(task: unknown): string {
  return (task as { name: string }).name;
}

function assertFunction(task: unknown): void {
  if (isClass(task)) {
    throw new TypeError(
      `tasks.add() got the class ${task.name}, which is not a task. Decorate it with @Task(schema).`,
    );
  }
  if (typeof task === 'function') return;
  const isPromise = isObject(task) && 'then' in task;
  throw new TypeError(
    isPromise
      ? 'tasks.add() got a promise: the work has already begun. Pass the function and its arguments: ' +
          'tasks.add(send, email) instead of tasks.add(send(email)).'
      : `tasks.add() wants a function, a @Task class or a task definition, and got ${task === null ? 'null' : typeof task}.`,
  );
}
