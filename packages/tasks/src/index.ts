export {
  BackgroundTasks,
  type AddOptions,
  type AddTask,
  type RunOn,
  type TaskHandle,
} from './background-tasks.ts';
export type { JobEngine } from './durable.ts';
export { toMilliseconds, type Duration } from './duration.ts';
export { PayloadError, TasksClosedError } from './errors.ts';
export {
  TaskRunner,
  type TaskErrorHandler,
  type TaskFailure,
  type TaskStatus,
  type TaskWatch,
  type WatchedTask,
} from './runner.ts';
export {
  defineTask,
  Task,
  taskSpecOf,
  type JobContext,
  type Logger,
  type PayloadOf,
  type Runnable,
  type TaskDefinition,
  type TaskOptions,
} from './task.ts';
export type { Outcome, TaskHost, TaskQueue } from './task-queue.ts';
