import { channel, type Channel } from 'node:diagnostics_channel';
import type { Outcome } from './task-queue.ts';

/**
 * What is published of every task, on the channel `thereafter:task.<name>` of
 * `node:diagnostics_channel`: `queued`, then `discarded`, or `started` and one of the others. A task
 * that waits when the app closes is `abandoned` without having started.
 */
export const TASK_EVENTS = [
  'queued',
  'started',
  'succeeded',
  'failed',
  'timedOut',
  'discarded',
  'abandoned',
] as const;

export type TaskEventName = (typeof TASK_EVENTS)[number];

/** Why a task was not run. */
export type DiscardReason = 'policy' | 'cancelled' | 'stopOnError' | 'held';

/** The message of a task event. */
export interface TaskEvent {
  readonly taskId: string;
  readonly taskName: string;
  readonly requestId: string;
  /** When it happened, in milliseconds since 1970. */
  readonly atMs: number;
  /** How the response ended; undefined as long as it has not. */
  readonly outcome: Outcome | undefined;
  /** How long the task had waited when it started, in milliseconds; undefined if it never did. */
  readonly waitedMs: number | undefined;
  /** How long it ran, in milliseconds; undefined before it ends, and if it never started. */
  readonly elapsedMs: number | undefined;
  /** `failed`: what was thrown. `timedOut`, `abandoned`: the reason of its signal. */
  readonly error: unknown;
  /** `discarded` only. */
  readonly reason: DiscardReason | undefined;
}

/** What an event is made of. */
interface Subject {
  readonly id: string;
  readonly name: string;
  readonly requestId: string;
  readonly outcome: Outcome | undefined;
  readonly queuedAtMs: number;
  readonly startedAtMs: number | undefined;
}

const channels = Object.fromEntries(
  TASK_EVENTS.map((name) => [name, channel(`thereafter:task.${name}`)]),
) as unknown as Readonly<Record<TaskEventName, Channel>>; // every name has one

/** Publishes an event, if somebody listens; nothing is allocated otherwise. */
export function publish(
  name: TaskEventName,
  task: Subject,
  detail?: { readonly error?: unknown; readonly reason?: DiscardReason },
): void {
  const to = channels[name];
  if (!to.hasSubscribers) return;
  const { queuedAtMs, startedAtMs } = task;
  const hasEnded = name !== 'queued' && name !== 'started';
  to.publish({
    taskId: task.id,
    taskName: task.name,
    requestId: task.requestId,
    atMs: Date.now(),
    outcome: task.outcome,
    waitedMs: startedAtMs === undefined ? undefined : startedAtMs - queuedAtMs,
    elapsedMs: startedAtMs === undefined || !hasEnded ? undefined : performance.now() - startedAtMs,
    error: detail?.error,
    reason: detail?.reason,
  } satisfies TaskEvent);
}
