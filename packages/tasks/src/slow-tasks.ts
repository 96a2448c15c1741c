import type { QueuedTask } from './queued-task.ts';
import type { Logger } from './task.ts';

/**
 * Says once of each task that it runs for long, since it is lost when the process ends. Looks at all that
 * run now and then, so that no task pays for it.
 */
export class SlowTasks {
  readonly #afterMs: number;
  readonly #running: () => readonly QueuedTask[];
  readonly #log: Logger;
  /** Since when each task was seen to run; `undefined` of those that have been told of. */
  #seen = new Map<QueuedTask, number | undefined>();
  #checking: NodeJS.Timeout | undefined = undefined;

  /** @param running - Gives the tasks that run now. */
  constructor(afterMs: number, running: () => readonly QueuedTask[], log: Logger) {
    this.#afterMs = afterMs;
    this.#running = running;
    this.#log = log;
  }

  start(): void {
    const everyMs = Math.min(Math.max(this.#afterMs / 4, MIN_INTERVAL_MS), MAX_INTERVAL_MS);
    this.#checking = setInterval(() => this.#check(performance.now()), everyMs).unref();
  }

  stop(): void {
    clearInterval(this.#checking);
  }

  #check(nowMs: number): void {
    const seen = new Map<QueuedTask, number | undefined>();
    for (const task of this.#running()) {
      const sinceMs = this.#seen.has(task) ? this.#seen.get(task) : nowMs;
      const isLong = sinceMs !== undefined && nowMs - sinceMs >= this.#afterMs;
      seen.set(task, isLong ? undefined : sinceMs);
      if (isLong) this.#tell(task, nowMs - sinceMs);
    }
    this.#seen = seen; // forgets those that have ended
  }

  #tell({ id, name, requestId }: QueuedTask, elapsedMs: number): void {
    const fields = { taskId: id, taskName: name, requestId, elapsedMs: Math.round(elapsedMs) };
    this.#log.info(fields, SLOW);
  }
}

const SLOW =
  'a background task runs for long, and is lost if the process ends: make it a durable job, ' +
  '@Task(schema, { durable: true }), or raise tasks.slowAfter';

/** How often it is looked: a task is told of that much later, at most. */
const MAX_INTERVAL_MS = 1000;
const MIN_INTERVAL_MS = 5;
