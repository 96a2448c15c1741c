import type { TaskEvent, TaskEventName } from '@thereafter/tasks';
import { subscribe } from 'node:diagnostics_channel';

/** Is told of the tasks of this process, whatever app they belong to, until it ends. */
export function onTask(name: TaskEventName, listener: (event: TaskEvent) => void): void {
  subscribe(`thereafter:task.${name}`, (event) => listener(event as TaskEvent)); // what is published there
}
