export { BackgroundTasks, type AddOptions, type AddTask } from './background-tasks.ts';
export { currentTask, taskSignal, type CurrentTask } from './current-task.ts';
export { EngineAdmin, type EngineHost, type JobEngine, type PreparedJob } from './durable.ts';
export { toMilliseconds, type Duration } from './duration.ts';
export {
  JobEngineMissingError,
  JobsNotStoredError,
  PayloadError,
  TaskAbandonedError,
  TasksClosedError,
  TasksFullError,
  TaskTimeoutError,
  ThreadError,
} from './errors.ts';
export {
  TASK_ENDS,
  TASK_EVENTS,
  type DiscardReason,
  type TaskEvent,
  type TaskEventName,
} from './events.ts';
export { inThread } from './in-thread.ts';
export type { Outcome, RunOn } from './outcome.ts';
export type { AddedTask, TaskHandle, TaskStatus } from './queued-task.ts';
export { TaskRecorder } from './recorder.ts';
export {
  TaskRunner,
  type AppTasks,
  type TaskErrorHandler,
  type TaskFailure,
  type TaskLimits,
} from './runner.ts';
export {
  defineTask,
  Task,
  taskSpecOf,
  type BackoffOptions,
  type TaskSpec,
  type JobContext,
  type Logger,
  type PayloadOf,
  type Runnable,
  type TaskDefinition,
  type TaskOptions,
} from './task.ts';
export type { TaskHost } from './task-host.ts';
export { TaskQueue } from './task-queue.ts';
export { ThreadPool } from './thread-pool.ts';
