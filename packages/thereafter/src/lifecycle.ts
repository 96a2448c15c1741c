import { isPromise, type Scope } from '@thereafter/di';
import type { Match, Miss } from '@thereafter/router';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CompiledApp } from './compile.ts';
import type { CompiledRoute } from './compile-route.ts';
import { Context } from './context.ts';
import { BadRequest, MethodNotAllowed, NotFound, Problem, UriTooLong } from './response/problem.ts';
import { toProblemReply, toReply } from './response/to-reply.ts';
import { onResponseEnd } from './socket/response-end.ts';
import { send } from './socket/send.ts';

/*
 * The path of a request:
 *
 *   socket → Context → route → inputs, dependencies, handler → reply → socket → tasks → end of scope
 *
 * Stages that need not wait do not: a synchronous handler is answered in the turn in which its request
 * came. A value that is thrown anywhere before the reply becomes a problem; what comes after it is
 * none of the client's business, and is logged.
 */

/** Carries one request from the socket to its response, and hands over to what comes after it. */
export function handle(app: CompiledApp, req: IncomingMessage, res: ServerResponse): void {
  const ctx = new Context(app, req, res);
  try {
    const route = findRoute(app, ctx);
    if (route === undefined) return answerOptions(app, ctx);
    const result = route.run(ctx);
    if (isPromise(result)) {
      result.then(
        (value) => answer(app, ctx, route, value),
        (error: unknown) => answerError(app, ctx, error),
      );
    } else {
      answer(app, ctx, route, result);
    }
  } catch (error) {
    answerError(app, ctx, error);
  }
}

/** Decides 400, 404, 405 and 414. Nothing is returned for OPTIONS of a known path. */
function findRoute({ router }: CompiledApp, ctx: Context): CompiledRoute | undefined {
  const found: Match<CompiledRoute> | Miss = router.find(ctx.method, ctx.target);
  if (typeof found === 'object') {
    ctx.params = found.params;
    ctx.rawQuery = found.searchParams;
    return found.store;
  }
  if (found === 'malformed') throw new BadRequest('The percent-encoding of the path is broken.');
  if (found === 'too-long') throw new UriTooLong('A path segment is longer than 1024 characters.');
  const allowed = router.allowedMethods(ctx.target);
  if (allowed.length === 0) throw new NotFound(`There is nothing at ${ctx.path}.`);
  if (ctx.method !== 'OPTIONS') throw new MethodNotAllowed(allowed);
  return undefined;
}

function answerOptions(app: CompiledApp, ctx: Context): void {
  ctx.header('allow', app.router.allowedMethods(ctx.target).join(', '));
  reply(app, ctx, toReply(undefined, { status: 204, serialise: JSON.stringify }));
}

function answer(app: CompiledApp, ctx: Context, route: CompiledRoute, value: unknown): void {
  try {
    reply(app, ctx, toReply(value, route));
  } catch (error) {
    answerError(app, ctx, error); // it could not be serialised, or a header was refused
  }
}

function answerError(app: CompiledApp, ctx: Context, error: unknown): void {
  ctx.failure = { error };
  if (!(error instanceof Problem) || error.status >= 500) {
    ctx.log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
  }
  reply(app, ctx, toProblemReply(error, ctx.path, ctx.id));
}

function reply(app: CompiledApp, ctx: Context, what: Parameters<typeof send>[1]): void {
  send(ctx.raw.res, what, (error) => {
    ctx.hasBrokenBody = true;
    ctx.log.error({ err: error, path: ctx.path }, 'the body of a response broke half-way');
  });
  if (ctx.scope) releaseScope(ctx, ctx.scope, what.body);
  ctx.isAnswered = true;
  if (ctx.outcome) proceed(app, ctx);
}

/** A scope with nothing to end, and nothing that could still ask it, is over with the reply. */
function releaseScope(ctx: Context, scope: Scope, body: unknown): void {
  const mayBeAsked = ctx.queue?.size || (typeof body === 'object' && !(body instanceof Uint8Array));
  if (scope.hasTeardowns || mayBeAsked) ctx.expectEnd();
  else void scope.close(); // has nothing to fail at
}

/** Waits for the end of the response. Only called when a task, a disposer or a signal needs it. */
export function watchEnd(app: CompiledApp, ctx: Context): void {
  const { req, res } = ctx.raw;
  onResponseEnd(req, res, (end) => {
    ctx.end(ctx.hasBrokenBody ? 'failed' : end);
    if (ctx.isAnswered) proceed(app, ctx); // a client may leave while the handler still works
  });
}

/** The response is over and the handler has settled: now the tasks, then the end of the scope. */
function proceed(app: CompiledApp, ctx: Context): void {
  app.runner.track(finish(ctx));
}

async function finish(ctx: Context): Promise<void> {
  const { queue, scope, failure } = ctx;
  await queue?.release({ outcome: ctx.outcome!, threw: failure !== undefined });
  try {
    await scope?.close(failure);
  } catch (error) {
    ctx.log.error({ err: error, path: ctx.path }, 'clean-up after a request failed');
  }
}
