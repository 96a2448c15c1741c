import { channel, type Channel } from 'node:diagnostics_channel';
import type { Outcome } from './outcome.ts';

/** How a task may end: each ends once, in one of these. */
export const TASK_ENDS = ['succeeded', 'failed', 'timedOut', 'discarded', 'abandoned'] as const;

/**
 * What is published of every task, on the channel `thereafter:task.<name>` of
 * `node:diagnostics_channel`: `queued`, then `discarded`, or `started` and one of the other ends. A task
 * that waits when the app closes is `abandoned` without having started. A durable task is `queued`,
 * then `discarded` or `stored`: what becomes of it as a job has channels of its own.
 */
export const TASK_EVENTS: readonly TaskEventName[] = ['queued', 'stored', 'started', ...TASK_ENDS];

/** The name of a task event. */
export type TaskEventName = 'queued' | 'stored' | 'started' | (typeof TASK_ENDS)[number];

/** Why a task was not run. */
export type DiscardReason = 'policy' | 'cancelled' | 'stopOnError' | 'held' | 'notStored';

/** The message of a task event. */
export interface TaskEvent {
  readonly taskId: string;
  readonly taskName: string;
  readonly requestId: string;
  /** When it happened, in milliseconds since 1970. */
  readonly atMs: number;
  /** How the response ended; undefined as long as it has not. */
  readonly outcome: Outcome | undefined;
  /** How long the task had waited when it started, in milliseconds; undefined if it has not. */
  readonly waitedMs: number | undefined;
  /** How long it ran, in milliseconds; undefined before it ends, and if it never started. */
  readonly elapsedMs: number | undefined;
  /** `failed`: what was thrown. `timedOut`, `abandoned`: the reason of its signal. */
  readonly error: unknown;
  /** `discarded` only. */
  readonly reason: DiscardReason | undefined;
}

/** What an event is made of. */
export interface TaskSubject {
  readonly id: string;
  readonly name: string;
  readonly requestId: string;
  readonly outcome: Outcome | undefined;
  readonly queuedAtMs: number | undefined;
  readonly startedAtMs: number | undefined;
}

const channels = Object.fromEntries(
  TASK_EVENTS.map((name) => [name, channel(`thereafter:task.${name}`)]),
) as unknown as Readonly<Record<TaskEventName, Channel>>; // every name has one

const all = Object.values(channels);

/** A time for events, if somebody listens to any: two readings of the clock would be a tenth of a task. */
export function eventTime(): number | undefined {
  for (const { hasSubscribers } of all) if (hasSubscribers) return performance.now();
  return undefined;
}

/** Publishes an event, if somebody listens; nothing is allocated otherwise. */
export function publish(
  name: TaskEventName,
  task: TaskSubject,
  detail?: { readonly error?: unknown; readonly reason?: DiscardReason },
): void {
  const to = channels[name];
  if (!to.hasSubscribers) return;
  const { queuedAtMs, startedAtMs } = task;
  const hasEnded = (TASK_ENDS as readonly TaskEventName[]).includes(name);
  to.publish({
    taskId: task.id,
    taskName: task.name,
    requestId: task.requestId,
    atMs: Date.now(),
    outcome: task.outcome,
    waitedMs: difference(startedAtMs, queuedAtMs),
    elapsedMs: hasEnded ? difference(performance.now(), startedAtMs) : undefined,
    error: detail?.error,
    reason: detail?.reason,
  } satisfies TaskEvent);
}

function difference(to: number | undefined, from: number | undefined): number | undefined {
  return to === undefined || from === undefined ? undefined : to - from;
}
