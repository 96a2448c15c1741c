import { TASK_EVENTS } from '@thereafter/tasks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { TaskEvent, TaskEventName } from 'thereafter';

/** Every task event of the process, from now to the end of the block. */
export interface TaskRecord extends Disposable {
  /** `started second`, and so on. */
  readonly lines: readonly string[];
  readonly events: readonly (TaskEvent & { readonly event: TaskEventName })[];
  /** The events of one task by its name. */
  of(taskName: string): readonly TaskEventName[];
  /** Waits for an event, unless it has been. */
  until(event: TaskEventName, taskName: string): Promise<TaskEvent>;
}

export function recordTasks(): TaskRecord {
  const events: (TaskEvent & { readonly event: TaskEventName })[] = [];
  let wake = (): void => undefined;
  const listeners = TASK_EVENTS.map((event) => {
    const listener = (message: unknown): void => {
      events.push({ ...(message as TaskEvent), event });
      wake();
    };
    subscribe(`thereafter:task.${event}`, listener);
    return () => unsubscribe(`thereafter:task.${event}`, listener);
  });
  return {
    events,
    get lines() {
      return events.map(({ event, taskName }) => `${event} ${taskName}`);
    },
    of: (taskName) => events.filter((e) => e.taskName === taskName).map(({ event }) => event),
    async until(event, taskName) {
      for (;;) {
        const found = events.find((e) => e.event === event && e.taskName === taskName);
        if (found) return found;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    [Symbol.dispose]() {
      for (const stop of listeners) stop();
    },
  };
}

/** A promise and the function that fulfils it: what a task waits for, and what a test does. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
