import { subscribe } from 'node:diagnostics_channel';
import type { TaskEvent } from 'thereafter';

subscribe('thereafter:task.failed', (message) => {
  const { taskName, requestId, error } = message as TaskEvent;
  console.error(`${taskName} of ${requestId} failed`, error);
});
