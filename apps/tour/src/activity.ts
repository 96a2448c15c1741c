import type { JobEventMessage, JobEventName } from '@thereafter/queue';
import { TASK_EVENTS } from '@thereafter/tasks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type {
  Context,
  Middleware,
  SseEvent,
  SseStream,
  TaskEvent,
  TaskEventName,
} from 'thereafter';
import type { AccessLogEntry } from 'thereafter/access-log';
import type { Story } from './stories.ts';

/** A response that has ended. */
export interface RespondedEvent {
  readonly requestId: string;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number | undefined;
  /** Milliseconds since 1970, with fractions: many a task takes less than one. */
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

/** A task has come to another state. */
export interface TaskStateEvent {
  readonly requestId: string;
  readonly taskId: string;
  readonly name: string;
  readonly state: TaskEventName;
  readonly atMs: number;
  /** What went wrong. Everybody may see it here; in a service of yours, that is for its operators. */
  readonly error: string | undefined;
}

/** What a job has become, in the words of tasks. */
const JOB_STATES = {
  started: 'started',
  completed: 'succeeded',
  retrying: 'failed',
  failed: 'failed',
  cancelled: 'discarded',
  handedBack: 'abandoned',
} as const satisfies Partial<Record<JobEventName, TaskEventName>>;

const MAX_RECENT = 500;

/** What has happened lately on the routes of the tour: responses, and the tasks after them. */
export class Activity {
  readonly #routes: ReadonlySet<string>;
  readonly #recent: SseEvent[] = [];
  /** Which request a job that is not done comes from; of jobs from before the start, nobody knows. */
  readonly #requestOfJob = new Map<string, string>();
  readonly #followers = new Set<SseStream>();
  readonly #arrivedAtMs = new WeakMap<Context, number>();

  constructor(stories: readonly Pick<Story, 'method' | 'path'>[]) {
    this.#routes = new Set(stories.map(({ method, path }) => toKey(method, path)));
  }

  /** Notes the tasks of this process until the end of the block. */
  watchTasks(): Disposable {
    const watches = TASK_EVENTS.map((state) => {
      const name = `thereafter:task.${state}`;
      const listener = (event: unknown): void => this.#task(state, event as TaskEvent); // what is published there
      subscribe(name, listener);
      return () => unsubscribe(name, listener);
    });
    for (const name of Object.keys(JOB_STATES) as (keyof typeof JOB_STATES)[]) {
      // its keys are these
      const listener = (event: unknown): void => this.#job(name, event as JobEventMessage); // what is published there
      subscribe(`thereafter:job.${name}`, listener);
      watches.push(() => unsubscribe(`thereafter:job.${name}`, listener));
    }
    return { [Symbol.dispose]: () => watches.forEach((stop) => stop()) };
  }

  /** Notes when a request has come. */
  readonly arrived: Middleware = (ctx, next) => {
    this.#arrivedAtMs.set(ctx, nowMs());
    return next();
  };

  /** Notes a response, as `accessLog()` tells of it. */
  readonly responded = (entry: AccessLogEntry, ctx: Context): void => {
    const { method, path, route, status } = entry;
    if (route === undefined || !this.#routes.has(toKey(method, route))) return;
    const endedAtMs = nowMs();
    this.#note('response', {
      requestId: ctx.id,
      method,
      path,
      status,
      startedAtMs: this.#arrivedAtMs.get(ctx) ?? endedAtMs,
      endedAtMs,
    } satisfies RespondedEvent);
  };

  /**
   * Sends what happened lately, and from now on what happens. A client that connects again gets it
   * again: each event says all there is to say of its state.
   */
  readonly follow = (stream: SseStream): (() => void) => {
    stream.send({ event: 'clock', data: { nowMs: nowMs() } });
    for (const event of this.#recent) stream.send(event);
    this.#followers.add(stream);
    return () => this.#followers.delete(stream);
  };

  #task(state: TaskEventName, event: TaskEvent): void {
    const { requestId, taskId, taskName: name, error } = event;
    if (state === 'stored') return this.#expectJob(taskId, requestId);
    this.#note('task', {
      requestId,
      taskId,
      name,
      state,
      atMs: nowMs(),
      error: error instanceof Error ? String(error) : undefined,
    } satisfies TaskStateEvent);
  }

  #expectJob(id: string, requestId: string): void {
    this.#requestOfJob.set(id, requestId);
    const [oldest] = this.#requestOfJob.keys();
    // Another process may run a job: then nobody here is told that it has ended.
    if (this.#requestOfJob.size > MAX_RECENT) this.#requestOfJob.delete(oldest!); // there are some
  }

  #job(event: keyof typeof JOB_STATES, { jobId, taskName, error }: JobEventMessage): void {
    const requestId = this.#requestOfJob.get(jobId);
    if (requestId === undefined) return;
    this.#note('task', {
      requestId,
      taskId: jobId,
      name: taskName,
      state: JOB_STATES[event],
      atMs: nowMs(),
      error: error instanceof Error ? String(error) : undefined,
    } satisfies TaskStateEvent);
    if (event === 'completed' || event === 'failed' || event === 'cancelled') {
      this.#requestOfJob.delete(jobId);
    }
  }

  #note(event: string, data: object): void {
    this.#recent.push({ event, data });
    if (this.#recent.length > MAX_RECENT) this.#recent.shift();
    for (const follower of this.#followers) follower.send({ event, data });
  }
}

/** A route has no slash at its end, however it was declared. */
function toKey(method: string, path: string): string {
  return `${method} ${path.replace(/\/$/, '')}`;
}

/** Finer than `Date.now()`. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
