import { JOB_EVENTS } from '@thereafter/queue';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inject, Injectable, type SseStream } from 'thereafter';
import { TaskHistory, type TaskRecord } from './task-history.ts';

/** A task as a list shows it: all but what makes it long. */
export interface TaskLine extends Omit<TaskRecord, 'error'> {
  readonly error: string | undefined;
}

/** How long changes are collected before they are sent. */
const COLLECT_MS = 100;

/**
 * Tells the open pages what happens, a few times a second at most. `tasks` has the tasks that are new or
 * changed, at first all that are known; `jobs` says that some have changed, and a page asks for those
 * that it shows.
 */
@Injectable()
export class Live implements Disposable {
  readonly #history: TaskHistory = inject(TaskHistory);
  readonly #streams = new Set<SseStream>();
  readonly #changed = new Map<string, TaskRecord>();
  #haveJobsChanged = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #onJob = (): void => {
    this.#haveJobsChanged = true;
    this.#sendSoon();
  };

  constructor() {
    this.#history.onChange = (task) => {
      this.#changed.set(task.id, task);
      this.#sendSoon();
    };
    for (const name of JOB_EVENTS) subscribe(`thereafter:job.${name}`, this.#onJob);
  }

  readonly follow = (stream: SseStream): (() => void) => {
    stream.send({ event: 'tasks', data: this.#history.all().map(toTaskLine) });
    this.#streams.add(stream);
    return () => void this.#streams.delete(stream);
  };

  #sendSoon(): void {
    if (this.#streams.size === 0) {
      this.#changed.clear();
      this.#haveJobsChanged = false;
      return;
    }
    this.#timer ??= setTimeout(() => this.#send(), COLLECT_MS).unref();
  }

  #send(): void {
    this.#timer = undefined;
    // What has left the history meanwhile is too old to be shown.
    const tasks = [...this.#changed.values()].filter(({ id }) => this.#history.get(id));
    for (const stream of this.#streams) {
      if (tasks.length > 0) stream.send({ event: 'tasks', data: tasks.map(toTaskLine) });
      if (this.#haveJobsChanged) stream.send({ event: 'jobs', data: {} });
    }
    this.#changed.clear();
    this.#haveJobsChanged = false;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const name of JOB_EVENTS) unsubscribe(`thereafter:job.${name}`, this.#onJob);
  }
}

function toTaskLine({ error, ...task }: TaskRecord): TaskLine {
  if (!error) return { ...task, error: undefined };
  return { ...task, error: error.name === '' ? error.message : `${error.name}: ${error.message}` };
}
