import { AsyncResource } from 'node:async_hooks';
import { DurableTasks } from './durable-tasks.ts';
import { Fifo } from './fifo.ts';
import { mayRun } from './outcome.ts';
import { QueuedTask, type TaskHandle, type TaskHome, type TaskSettings } from './queued-task.ts';
import type { TaskRunner } from './runner.ts';
import { taskSpecOf, type Runnable } from './task.ts';
import type { TaskHost } from './task-host.ts';
import type { ThreadPool } from './thread-pool.ts';

/** Ends what was made for the request; returns a promise only when there is something to wait for. */
type EndScope = () => Promise<void> | undefined;

/**
 * The tasks of one request.
 *
 * - open: the response is not over; tasks are collected
 * - draining: it is over; what may run does, and whatever is added meanwhile is appended
 * - drained: nothing is left, the request's scope has ended; a task that still comes starts a drain of
 *   its own
 */
export class TaskQueue implements TaskHome {
  readonly #runner: TaskRunner;
  readonly #host: TaskHost;
  /** What was added and has not started. Some of it may have been called off. */
  readonly #entries = new Fifo<QueuedTask>();
  #durable: DurableTasks | undefined = undefined;
  #state: 'open' | 'draining' | 'drained' = 'open';
  /** How many tasks are run at once at the moment, or would be. */
  #lanes = 0;
  #endScope: EndScope | undefined = undefined;
  /** Where `release` was called: turns of the event loop are shared with queues of other requests. */
  #origin: AsyncResource | undefined = undefined;

  constructor(runner: TaskRunner, host: TaskHost) {
    this.#runner = runner;
    this.#host = host;
  }

  /** How many background tasks wait. */
  get size(): number {
    return this.#entries.count(({ status }) => status === 'waiting');
  }

  /** Whether a background task waits. */
  get hasWaiting(): boolean {
    return this.#first() !== undefined;
  }

  get threads(): ThreadPool {
    return this.#runner.threads;
  }

  /** Adds a task; throws what `BackgroundTasks.add` throws. */
  push(task: unknown, args: readonly unknown[], settings: TaskSettings): TaskHandle {
    const spec = taskSpecOf(task);
    if (spec?.options.durable) {
      const engine = this.#runner.engineFor(spec);
      this.#durable ??= new DurableTasks(engine, this.#runner, this.#host);
      return this.#durable.add(task as Runnable, args[0], settings); // only what is one has a spec
    }
    const entry = new QueuedTask(task, spec, args, settings, this.#host, this);
    this.#runner.accept(entry);
    this.#entries.push(entry);
    if (this.#state === 'open') this.#host.watch();
    else if (this.#state === 'drained') this.release();
    else if (this.#lanes > 0 && this.#lanes < this.#runner.concurrency) this.#openLane();
    return entry;
  }

  /** One lane more, since a task was added while fewer tasks ran than may. */
  #openLane(): void {
    this.#lanes += 1;
    process.nextTick(resume, this); // never within the call of add()
  }

  withdraw(entry: QueuedTask): boolean {
    this.#runner.discard(entry, 'cancelled'); // it stays where it is, and is skipped
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
    if (this.#durable) this.#runner.track(this.#durable.release());
    this.#endScope = endScope;
    if (endScope) this.#origin = new AsyncResource('TaskQueue', MANUAL_DESTROY);
    this.#runner.enter();
    process.nextTick(drain, this); // never within the call of add() or a listener of the socket
  }

  /** @internal Runs what waits, as many at once as may be. */
  drain(): void {
    if (!this.hasWaiting) return this.#finish();
    this.#lanes = this.#runner.concurrency;
    for (let lane = this.#lanes; lane > 0; lane--) this.resume();
  }

  /** @internal Runs the next task; after it, in a later turn, the one after. Tasks that run at once have a lane each. */
  resume(): void {
    for (let entry; (entry = this.#first());) {
      if (!mayRun(entry, this.#host)) {
        this.#entries.shift();
        this.#runner.discard(entry, 'policy');
        continue;
      }
      const turn = this.#runner.turn();
      if (turn) return void turn.then(() => this.resume()); // it may be cancelled meanwhile
      this.#entries.shift();
      return this.#run(entry);
    }
    this.#runner.passTurn();
    if (--this.#lanes === 0) this.drain(); // again: what the last lanes added has been appended
  }

  /** The first task that waits, past those that were called off; `undefined` if none does. */
  #first(): QueuedTask | undefined {
    while (this.#entries.first && this.#entries.first.status !== 'waiting') this.#entries.shift();
    return this.#entries.first;
  }

  #run(entry: QueuedTask): void {
    const running = this.#runner.run(entry);
    if (running) void running.then(() => this.#after(entry));
    else this.#after(entry);
  }

  #after(entry: QueuedTask): void {
    if (entry.stopsOthers && entry.hasFailed) this.#discardAll();
    if (this.hasWaiting) takeTurns(this);
    else this.resume();
  }

  #finish(): void {
    const endScope = this.#endScope;
    this.#endScope = undefined;
    const ending = endScope && this.#origin?.runInAsyncScope(endScope);
    if (ending) return void ending.then(() => this.drain());
    if (this.hasWaiting) return this.drain();
    this.#state = 'drained';
    this.#runner.leave();
  }

  #discardAll(): void {
    for (let entry; (entry = this.#first());) {
      this.#entries.shift();
      this.#runner.discard(entry, 'stopOnError');
    }
  }
}

/** Nobody listens for the end of this resource, so none is reported. */
const MANUAL_DESTROY = { requireManualDestroy: true };

function drain(queue: TaskQueue): void {
  queue.drain();
}

function resume(queue: TaskQueue): void {
  queue.resume();
}

/** Queues that let others go first, until the next turn of the event loop. */
let yielded: TaskQueue[] = [];

/** Resumes a queue in the next turn of the event loop, when others have been served. */
function takeTurns(queue: TaskQueue): void {
  if (yielded.push(queue) === 1) setImmediate(resumeYielded); // one for all of this turn
}

function resumeYielded(): void {
  const queues = yielded;
  yielded = []; // who yields again waits for the turn after this
  for (const queue of queues) queue.resume();
}
