// What can be thrown besides problems, for those who look at the class of an error and not at its code.
export { AppStateError } from './start.ts';
export { InvalidAppError } from './compile.ts';
export { UpstreamError } from './http-client.ts';
export { OpenApiError, type OpenApiCode } from './openapi/errors.ts';
export { ListenError } from './socket/server.ts';
export { ArgumentError, ThereafterError } from '@thereafter/di';
export {
  JobEngineMissingError,
  JobsNotStoredError,
  PayloadError,
  TaskAbandonedError,
  TasksClosedError,
  TasksFullError,
  TaskTimeoutError,
  ThreadError,
} from '@thereafter/tasks';
