import { TASK_ENDS, TASK_EVENTS } from '@thereafter/tasks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type DiscardReason, type TaskEvent, type TaskEventName } from 'thereafter';
import { describeError, type ErrorDescription } from './describe-error.ts';

/** What is known of a background task. */
export interface TaskRecord {
  readonly id: string;
  readonly name: string;
  readonly requestId: string;
  readonly state: TaskEventName;
  /** In milliseconds since 1970, as all times here; undefined when it happened before somebody watched. */
  readonly queuedAtMs: number | undefined;
  readonly startedAtMs: number | undefined;
  readonly endedAtMs: number | undefined;
  readonly waitedMs: number | undefined;
  readonly elapsedMs: number | undefined;
  /** Why it was not run. */
  readonly reason: DiscardReason | undefined;
  readonly error: ErrorDescription | undefined;
}

const MAX_TASKS = 500;

const ENDS: ReadonlySet<TaskEventName> = new Set(TASK_ENDS);

/** The latest background tasks of this process, whatever app they belong to. */
@Injectable()
export class TaskHistory implements Disposable {
  /** Told of each task that has come to another state. */
  onChange: (task: TaskRecord) => void = () => undefined;
  /** In the order in which they were queued. */
  readonly #tasks = new Map<string, TaskRecord>();
  readonly #stops: readonly (() => void)[];

  constructor() {
    this.#stops = TASK_EVENTS.map((state) => {
      const name = `thereafter:task.${state}`;
      const listener = (event: unknown): void => this.#take(state, event as TaskEvent); // what is published there
      subscribe(name, listener);
      return () => void unsubscribe(name, listener);
    });
  }

  get(id: string): TaskRecord | undefined {
    return this.#tasks.get(id);
  }

  /** The oldest first. */
  all(): readonly TaskRecord[] {
    return [...this.#tasks.values()];
  }

  #take(state: TaskEventName, event: TaskEvent): void {
    const { taskId: id, taskName: name, requestId, atMs, waitedMs, elapsedMs, reason } = event;
    const known = this.#tasks.get(id);
    const task: TaskRecord = {
      id,
      name,
      requestId,
      state,
      queuedAtMs: state === 'queued' ? atMs : known?.queuedAtMs,
      startedAtMs: state === 'started' ? atMs : known?.startedAtMs,
      endedAtMs: ENDS.has(state) ? atMs : undefined,
      waitedMs,
      elapsedMs,
      reason,
      error: event.error === undefined ? undefined : describeError(event.error),
    };
    this.#tasks.set(id, task);
    if (this.#tasks.size > MAX_TASKS) this.#tasks.delete(this.#tasks.keys().next().value!); // not empty
    this.onChange(task);
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop();
  }
}
