export { App, createApp } from './app.ts';
export type { AppOptions } from './app-options.ts';
export { config } from './config.ts';
export { Context } from './context.ts';
export { Body, Cookie, File, Form, Header, Path, Query } from './decorators/inputs.ts';
export type { ControllerOptions, IncludeOptions } from './decorators/metadata.ts';
export { All, Controller, Delete, Get, Patch, Post, Put } from './decorators/routes.ts';
export { dependency } from './handler/dependency.ts';
export {
  body,
  cookie,
  header,
  path,
  query,
  type Gives,
  type Inputs,
  type Values,
} from './handler/inputs.ts';
export type { AppBlueprint, AppCheck, AppHost, HostedApp } from './host.ts';
export type { RouteSummary } from './route.ts';
export { HttpClient, type HttpClientOptions, type HttpRequest } from './http-client.ts';
export type { AppLog } from './log.ts';
export { file, form, type FileOptions } from './handler/form-inputs.ts';
export type { BodyOptions, SchemaSource } from './handler/http-input.ts';
export { UploadedFile, type FormPart } from './handler/form.ts';
export type { Limits, MultipartLimits } from './limits.ts';
export type { Middleware } from './middleware.ts';
export type { OpenApiDocument, OpenApiOptions, SecurityScheme } from './openapi/document.ts';
export { secures } from './openapi/security.ts';
export type { ErrorHandler } from './response/thrown.ts';
export {
  BadRequest,
  Conflict,
  ContentTooLarge,
  Forbidden,
  InvalidInput,
  MethodNotAllowed,
  NotFound,
  Problem,
  RequestTimeout,
  ServiceUnavailable,
  Unauthorized,
  UnsupportedMediaType,
  UriTooLong,
  type InputIssue,
  type ProblemDefinition,
} from './response/problem.ts';
export { sendFile, type FileReply, type SendFileOptions } from './response/file.ts';
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
export type { AllOptions, RouteOptions } from './route-options.ts';
export type { TrustProxy } from './socket/forwarded.ts';
export type { ListenOptions } from './socket/server.ts';
export type { CloseResult } from './start.ts';
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
  inThread,
  Task,
  taskSignal,
  type AddedTask,
  type AddOptions,
  type AppTasks,
  type DiscardReason,
  type Duration,
  type JobContext,
  type JobEngine,
  type Logger,
  type Outcome,
  type RunOn,
  type Runnable,
  type TaskDefinition,
  type TaskErrorHandler,
  type TaskEvent,
  type TaskEventName,
  type TaskFailure,
  type TaskHandle,
  type TaskLimits,
  type TaskOptions,
  type TaskStatus,
} from '@thereafter/tasks';
