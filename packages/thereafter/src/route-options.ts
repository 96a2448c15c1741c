import type { Dependency } from '@thereafter/di';
import type { HandlerTimeout } from './handler/timeout.ts';
import type { Method } from '@thereafter/router';
import type { Context } from './context.ts';
import { assertGiven, assertOptions } from './given.ts';
import type { Inputs, Values } from './handler/inputs.ts';
import type { Middleware } from './middleware.ts';
import type { FileReply } from './response/file.ts';
import type { Problem } from './response/problem.ts';
import type { HttpReply } from './response/reply.ts';
import type { ResponseSchemas, ResponseValue } from './response/schemas.ts';
import type { Sse } from './response/sse.ts';

/** What a route says about itself besides its method and path. */
export interface RouteOptions {
  /**
   * What is sent: fields that it does not name never leave. One schema, or one for each status:
   * `{ 200: User, 404: Missing }`. Outside of production (`NODE_ENV`), a value that does not fit is a
   * logged 500.
   */
  readonly response?: ResponseSchemas;
  /**
   * How long inputs, dependencies and handler may take, e.g. `'30s'`, until the client gets a 503; false for
   * as long as they like. Default that of the app. Not counted are middleware, and a body that is streamed.
   */
  readonly handlerTimeout?: HandlerTimeout;
  /** Of a reply that has no status of its own; default 200, or 204 when nothing is returned. */
  readonly status?: number;
  /** The problems that it may answer with, for the documentation. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any constructor
  readonly errors?: readonly (abstract new (...args: any[]) => Problem)[];
  /** Dependencies whose values the handler does not need, which run before it, and middleware. */
  readonly use?: readonly (Dependency<unknown> | Middleware)[];
  readonly tags?: readonly string[];
  /** Whether the documentation shows it; default true. */
  readonly documented?: boolean;
  /** For the documentation, in a few words; default: the name of the method, or method and path. */
  readonly summary?: string;
  /** For the documentation, in CommonMark. */
  readonly description?: string;
  readonly deprecated?: boolean;
  /** Names the operation for generated clients; default: made from controller and method. */
  readonly operationId?: string;
}

/** What a route for several methods says about itself. */
export interface AllOptions extends RouteOptions {
  /** Default: all of them, and HEAD as GET. */
  readonly methods?: readonly Method[];
}

/** What `@All` and `app.all()` answer by default; HEAD is answered as GET is. */
export const ALL_METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** What a handler may return where its schema gives an `R`. */
export type Returned<R> = R | Response | HttpReply<R> | AsyncIterable<unknown> | FileReply | Sse<R>;

/** What the `response` of route options gives. */
export type Out<O> = O extends { response: infer S } ? ResponseValue<S> : unknown;

type HandlerResult<O> = Returned<Out<O>> | Promise<Returned<Out<O>>>;

/** A handler of a function route, however its values are called. */
export type Handler = (values: never) => unknown;

/** Declares a route whose handler is a function of a record. */
export interface AddRoute<A, Options extends RouteOptions = RouteOptions> {
  (path: string, handler: (values: { ctx: Context }) => HandlerResult<unknown>): A;
  <const O extends Options & { readonly in?: Inputs }>(
    path: string,
    options: O,
    handler: (
      values: (O extends { in: infer I extends Inputs } ? Values<I> : unknown) & { ctx: Context },
    ) => HandlerResult<O>,
  ): A;
}

/**
 * Refuses what is no route.
 *
 * @param what - Names it, e.g. `GET /users`.
 * @throws {ArgumentError} For a path or an option that is not of its kind, or an option that is none.
 */
export function assertRoute(what: string, path: unknown, options: unknown): void {
  assertGiven(`The path of ${what}`, path, 'a text');
  assertOptions(what, options, {
    in: 'an object',
    methods: 'a list',
    response: 'an object',
    status: 'a status from 200 to 599',
    errors: 'a list',
    use: 'a list',
    handlerTimeout: ['a text', 'false'], // whether it is a duration is told with all other faults
    tags: 'a list',
    documented: 'true or false',
    summary: 'a text',
    description: 'a text',
    deprecated: 'true or false',
    operationId: 'a text',
  });
}
