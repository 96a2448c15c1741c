export { AppStateError, createApp, type App, type AppOptions, type CloseResult } from './app.ts';
export { InvalidAppError } from './compile.ts';
export { config } from './config.ts';
export { Context } from './context.ts';
export { Body, Header, Path, Query } from './decorators/inputs.ts';
export type { ControllerOptions } from './decorators/metadata.ts';
export { Controller, Delete, Get, Patch, Post, Put } from './decorators/routes.ts';
export { dependency } from './handler/dependency.ts';
export {
  body,
  header,
  path,
  query,
  type Gives,
  type Inputs,
  type SchemaSource,
  type Values,
} from './handler/inputs.ts';
export {
  HttpClient,
  UpstreamError,
  type HttpClientOptions,
  type HttpRequest,
} from './http-client.ts';
export type { Middleware } from './middleware.ts';
export type { ErrorHandler } from './response/error-handlers.ts';
export {
  BadRequest,
  Conflict,
  ContentTooLarge,
  Forbidden,
  InvalidInput,
  MethodNotAllowed,
  NotFound,
  Problem,
  ServiceUnavailable,
  Unauthorized,
  UnsupportedMediaType,
  UriTooLong,
  type InputIssue,
  type ProblemDefinition,
} from './response/problem.ts';
export { file, type FileOptions, type FileReply } from './response/file.ts';
export { redirect, type RedirectOptions } from './response/redirect.ts';
export { HttpReply, Reply, type ReplyOptions } from './response/reply.ts';
export {
  sse,
  type Sse,
  type SseEvent,
  type SseOptions,
  type SseSource,
  type SseStream,
} from './response/sse.ts';
export type { RouteOptions } from './route.ts';
export { ListenError, type ListenOptions } from './socket/server.ts';
export {
  Depends,
  Inject,
  inject,
  Injectable,
  lazy,
  ThereafterError,
  token,
  type Class,
  type Dependency,
  type Lazy,
  type Source,
  type Token,
} from '@thereafter/di';
export {
  BackgroundTasks,
  defineTask,
  PayloadError,
  Task,
  TasksClosedError,
  type AddOptions,
  type Duration,
  type JobContext,
  type JobEngine,
  type Logger,
  type Outcome,
  type RunOn,
  type Runnable,
  type TaskDefinition,
  type TaskErrorHandler,
  type TaskFailure,
  type TaskHandle,
  type TaskOptions,
} from '@thereafter/tasks';
