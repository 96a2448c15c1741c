import { subscribe } from 'node:diagnostics_channel';

/** What is told of a background task, as far as it is used here. */
export interface TaskEvent {
  readonly taskId: string;
  readonly taskName: string;
  /** How long it ran; undefined before it ends, and if it never started. */
  readonly elapsedMs: number | undefined;
  /** Why it failed, timed out or was abandoned. */
  readonly error: unknown;
}

export type TaskEventName =
  | 'queued'
  | 'started'
  | 'succeeded'
  | 'failed'
  | 'timedOut'
  | 'discarded'
  | 'abandoned';

/** Each task ends once, in one of these. */
export const TASK_ENDS: readonly TaskEventName[] = [
  'succeeded',
  'failed',
  'timedOut',
  'discarded',
  'abandoned',
];

/** Is told of the tasks of this process, whatever app they belong to, until it ends. */
export function onTask(name: TaskEventName, listener: (event: TaskEvent) => void): void {
  subscribe(`thereafter:task.${name}`, (event) => listener(event as TaskEvent)); // what is published there
}
