import type { Failure } from '@thereafter/di';
import { AsyncResource } from 'node:async_hooks';
import type { TaskHandle, TaskSettings, TaskSink } from './background-tasks.ts';
import { DurableTasks, type DurableOwner, type DurableTask } from './durable-tasks.ts';
import type { JobEngine } from './durable.ts';
import type { DiscardReason } from './events.ts';
import { mayRun } from './policy.ts';
import { QueuedTask, type TaskHome } from './queued-task.ts';
import { taskSpecOf, type Logger, type Runnable, type TaskSpec } from './task.ts';
import type { ThreadPool } from './thread-pool.ts';

/** How a response ended: handed to the operating system, left by the client, or broken by its own body. */
export type Outcome = 'sent' | 'aborted' | 'failed';

/** What a queue needs of its request. */
export interface TaskHost {
  /** For logs and events; asked only when one of them needs it. */
  readonly id: string;
  readonly log: Logger;
  /** Undefined until the response is over. */
  readonly outcome: Outcome | undefined;
  /** Whether the handler has settled and its reply is written. */
  readonly isAnswered: boolean;
  /** What the handler, or something before it, threw. */
  readonly failure: Failure | undefined;
  /** Called for each task: from now on somebody waits for the end of the response. */
  expectEnd(): void;
}

/** What a queue needs of the app's runner. */
export interface QueueOwner extends DurableOwner {
  /** How many tasks of one request run at once. */
  readonly concurrency: number;
  readonly threads: ThreadPool;
  /** @throws {ThereafterError} When nothing would store a durable task. */
  engineFor(spec: TaskSpec): JobEngine;
  /** @throws {ThereafterError} When the task would never be run. */
  accept(entry: QueuedTask): void;
  /** A promise as long as no task may start; nothing when one may. Ask again after it. */
  turn(): Promise<void> | undefined;
  /** Gives a turn that was not used to the next who waits for one. */
  passTurn(): void;
  /** Runs one task, survives whatever it does, and gives a promise only when there is something to wait for. */
  run(entry: QueuedTask): Promise<void> | undefined;
  /** Takes note of a task that will not run. */
  discard(entry: QueuedTask | DurableTask, reason: DiscardReason): void;
  /** Calls `resume()` of the queue in the next turn of the event loop, when others have been served. */
  yield(queue: TaskQueue): void;
  /** A queue is at work, until as many calls of `leave()`. */
  enter(): void;
  leave(): void;
}

/** Ends what was made for the request; gives a promise only when there is something to wait for. */
type EndScope = () => Promise<void> | undefined;

/**
 * The tasks of one request.
 *
 * - open: the response is not over; tasks are collected
 * - draining: it is over; what may run does, and whatever is added meanwhile is appended
 * - drained: nothing is left, the request's scope has ended; a task that still comes starts a drain of
 *   its own
 */
export class TaskQueue implements TaskSink, TaskHome {
  readonly #owner: QueueOwner;
  readonly #host: TaskHost;
  readonly #waiting: QueuedTask[] = [];
  #durable: DurableTasks | undefined = undefined;
  #state: 'open' | 'draining' | 'drained' = 'open';
  /** How many tasks are run at once at the moment, or would be. */
  #lanes = 0;
  #endScope: EndScope | undefined = undefined;
  /** Where `release` was called: turns of the event loop are shared with queues of other requests. */
  #origin: AsyncResource | undefined = undefined;

  constructor(owner: QueueOwner, host: TaskHost) {
    this.#owner = owner;
    this.#host = host;
  }

  get size(): number {
    return this.#waiting.length;
  }

  get threads(): ThreadPool {
    return this.#owner.threads;
  }

  push(task: unknown, args: readonly unknown[], settings: TaskSettings): TaskHandle {
    const spec = taskSpecOf(task);
    if (spec?.options.durable) {
      const engine = this.#owner.engineFor(spec);
      this.#durable ??= new DurableTasks(engine, this.#owner, this.#host);
      return this.#durable.add(task as Runnable, args[0], settings); // only what is one has a spec
    }
    const entry = new QueuedTask(task, spec, args, settings, this.#host, this);
    this.#owner.accept(entry);
    this.#waiting.push(entry);
    if (this.#state === 'open') this.#host.expectEnd();
    else if (this.#state === 'drained') this.release();
    return entry;
  }

  withdraw(entry: QueuedTask): boolean {
    const index = this.#waiting.indexOf(entry);
    if (index === -1) return false;
    this.#waiting.splice(index, 1);
    this.#owner.discard(entry, 'cancelled');
    return true;
  }

  /**
   * The reply is known: stores the durable tasks, before it is written.
   *
   * @returns A promise if there are any. It rejects with `JOBS_NOT_STORED`, and then nothing is stored.
   */
  storeDurable(): Promise<void> | undefined {
    return this.#durable?.store();
  }

  /**
   * The response is over and the handler has settled: runs the tasks, then `endScope`, then the tasks
   * that it added. Nothing runs before this returns.
   */
  release(endScope?: EndScope): void {
    this.#state = 'draining';
    if (this.#durable) this.#owner.track(this.#durable.release());
    this.#endScope = endScope;
    if (endScope) this.#origin = new AsyncResource('TaskQueue', { requireManualDestroy: true });
    this.#owner.enter();
    process.nextTick(drain, this); // never within the call of add() or a listener of the socket
  }

  /** @internal Runs what waits, as many at once as may be. */
  drain(): void {
    if (this.#waiting.length === 0) return this.#finish();
    this.#lanes = this.#owner.concurrency;
    for (let lane = this.#lanes; lane > 0; lane--) this.resume();
  }

  /** Runs the next task; after it, in a later turn, the one after. Tasks that run at once have a lane each. */
  resume(): void {
    for (let entry; (entry = this.#waiting[0]);) {
      if (entry.status !== 'waiting' || !mayRun(entry, this.#host)) {
        this.#waiting.shift();
        this.#owner.discard(entry, 'policy');
        continue;
      }
      const turn = this.#owner.turn();
      if (turn) return void turn.then(() => this.resume()); // it may be cancelled meanwhile
      this.#waiting.shift();
      return this.#run(entry);
    }
    this.#owner.passTurn();
    if (--this.#lanes === 0) this.drain(); // again: what the last lanes added has been appended
  }

  #run(entry: QueuedTask): void {
    const running = this.#owner.run(entry);
    if (running) void running.then(() => this.#after(entry));
    else this.#after(entry);
  }

  #after(entry: QueuedTask): void {
    if (entry.stopsOthers && entry.hasFailed) this.#discardAll();
    if (this.#waiting.length > 0) this.#owner.yield(this);
    else this.resume();
  }

  #finish(): void {
    const endScope = this.#endScope;
    this.#endScope = undefined;
    const ending = endScope && this.#origin?.runInAsyncScope(endScope);
    if (ending) return void ending.then(() => this.drain());
    if (this.#waiting.length > 0) return this.drain();
    this.#state = 'drained';
    this.#owner.leave();
  }

  #discardAll(): void {
    for (const entry of this.#waiting.splice(0)) this.#owner.discard(entry, 'stopOnError');
  }
}

function drain(queue: TaskQueue): void {
  queue.drain();
}
