import { isPromise, type Scope } from '@thereafter/di';
import type { Match, Miss } from '@thereafter/router';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CompiledApp } from './compile.ts';
import type { CompiledRoute } from './compile-route.ts';
import { Context } from './context.ts';
import { toErrorReply } from './response/error-reply.ts';
import { BadRequest, MethodNotAllowed, NotFound, UriTooLong } from './response/problem.ts';
import { Reply } from './response/reply.ts';
import { toProblemReply, toReply } from './response/to-reply.ts';
import { checkHead } from './socket/head.ts';
import { notImplemented } from './socket/refusal.ts';
import { connectionOf } from './socket/connection.ts';
import { onResponseEnd } from './socket/response-end.ts';
import { discard, send } from './socket/send.ts';

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
  app.inFlight.begin();
  const fault = checkHead(req, app.limits);
  if (fault) return answerError(app, ctx, fault);
  try {
    const reply = app.onion ? app.onion(ctx) : dispatch(app, ctx);
    if (isPromise(reply)) {
      reply.then(
        (settled) => answer(app, ctx, settled),
        (error: unknown) => answerError(app, ctx, error),
      );
    } else {
      answer(app, ctx, reply);
    }
  } catch (error) {
    answerError(app, ctx, error);
  }
}

/** Finds the route and runs it. What middleware of the app is wrapped around. */
export function dispatch(app: CompiledApp, ctx: Context): Reply | Promise<Reply> {
  const route = findRoute(app, ctx);
  if (route instanceof Reply) return route;
  const value = route.run(ctx);
  return isPromise(value)
    ? value.then((settled) => toReply(settled, route, ctx))
    : toReply(value, route, ctx);
}

/** Decides 400, 404, 405, 414 and 501, and answers OPTIONS of a known path. */
function findRoute({ router }: CompiledApp, ctx: Context): CompiledRoute | Reply {
  const found: Match<CompiledRoute> | Miss = router.find(ctx.method, ctx.target);
  if (typeof found === 'object') {
    ctx.compiledRoute = found.store;
    ctx.params = found.params;
    ctx.rawQuery = found.searchParams;
    return found.store;
  }
  if (found === 'malformed') throw new BadRequest('The percent-encoding of the path is broken.');
  if (found === 'too-long') throw new UriTooLong('A path segment is longer than 1024 characters.');
  if (!METHODS.has(ctx.method)) throw notImplemented();
  const allowed = router.allowedMethods(ctx.target);
  if (ctx.method === 'TRACE') throw new MethodNotAllowed(allowed); // it would echo cookies
  if (ctx.target === '*') return toOptionsReply(allowed);
  if (allowed.length === 0) throw new NotFound(`There is nothing at ${ctx.path}.`);
  if (ctx.method !== 'OPTIONS') throw new MethodNotAllowed(allowed);
  return toOptionsReply(allowed);
}

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

function toOptionsReply(allowed: readonly string[]): Reply {
  return new Reply(204, undefined, undefined, new Headers({ allow: allowed.join(', ') }));
}

function answer(app: CompiledApp, ctx: Context, reply: Reply): void {
  const storing = ctx.queue?.storeDurable();
  if (!storing) return writeReply(app, ctx, reply);
  storing.then(
    () => writeReply(app, ctx, reply),
    (error: unknown) => {
      discard(reply.body);
      answerError(app, ctx, error); // 503: the client learns that nothing was stored
    },
  );
}

function writeReply(app: CompiledApp, ctx: Context, reply: Reply): void {
  try {
    write(app, ctx, reply);
  } catch (error) {
    answerError(app, ctx, error); // a header was refused
  }
}

/** A thrown value becomes a problem, or what `onError` makes of it. */
function answerError(app: CompiledApp, ctx: Context, error: unknown): void {
  ctx.failure = { error };
  const reply = toErrorReply(error, ctx, app.onError);
  if (isPromise(reply)) void reply.then((settled) => storeAndWriteError(app, ctx, settled));
  else storeAndWriteError(app, ctx, reply);
}

/** Tasks that run after an error, `on: 'error'` say, are stored before its answer too. */
function storeAndWriteError(app: CompiledApp, ctx: Context, reply: Reply): void {
  const storing = ctx.queue?.storeDurable();
  if (!storing) return writeError(app, ctx, reply);
  storing.then(
    () => writeError(app, ctx, reply),
    (error: unknown) => {
      discard(reply.body);
      ctx.log.error(
        { err: error, path: ctx.path },
        'the durable tasks of a failed request are lost',
      );
      writeError(app, ctx, toProblemReply(error, ctx.path, ctx.id));
    },
  );
}

/** The last stop: whatever is wrong with an error's answer, the client gets one. */
function writeError(app: CompiledApp, ctx: Context, reply: Reply): void {
  const { res } = ctx;
  if (!res.headersSent) for (const name of BODY_HEADERS) res.removeHeader(name);
  try {
    write(app, ctx, reply);
  } catch (error) {
    ctx.log.error({ err: error, path: ctx.path }, 'the answer to an error was refused');
    write(app, ctx, toProblemReply(error, ctx.path, ctx.id));
  }
}

/** What a handler may have said of a body that is not sent now. */
const BODY_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-range',
  'cache-control',
  'etag',
  'last-modified',
] as const;

function write(app: CompiledApp, ctx: Context, reply: Reply): void {
  const { req, res } = ctx;
  if (app.stopping.aborted && connectionOf(req.socket)?.isAtLastAnswer !== false) {
    res.shouldKeepAlive = false; // or its connection would stay open, idle
  }
  send(res, reply, (error) => {
    ctx.hasBrokenBody = true;
    ctx.log.error({ err: error, path: ctx.path }, 'the body of a response broke half-way');
  });
  if (ctx.scope) releaseScope(ctx, ctx.scope, reply.body);
  ctx.forgetBody(); // tasks keep the context, and need not keep what came with it
  ctx.isAnswered = true;
  app.inFlight.end();
  if (ctx.isOver) proceed(app, ctx);
}

/** A scope with nothing to end, and nothing that could still ask it, is over with the reply. */
function releaseScope(ctx: Context, scope: Scope, body: unknown): void {
  const mayBeAsked = ctx.queue?.size || (typeof body === 'object' && !(body instanceof Uint8Array));
  if (scope.hasTeardowns || mayBeAsked) ctx.expectEnd();
  else void scope.close(); // has nothing to fail at
}

/** Waits for the end of the response. Only called when a task, a disposer or a signal needs it. */
export function watchEnd(app: CompiledApp, ctx: Context): void {
  const { req, res } = ctx;
  onResponseEnd(req, res, (end) => {
    ctx.end(ctx.hasBrokenBody ? 'failed' : end);
    if (ctx.isAnswered) proceed(app, ctx); // a client may leave while the handler still works
  });
}

/** The response is over and the handler has settled: now the tasks, then the end of the scope. */
function proceed(app: CompiledApp, ctx: Context): void {
  if (ctx.queue) return ctx.queue.release(() => endScope(ctx));
  const ending = endScope(ctx);
  if (ending) app.runner.track(ending);
}

/** Waits only if there is something to wait for. */
function endScope(ctx: Context): Promise<void> | undefined {
  if (ctx.scope?.hasTeardowns || ctx.hasEndings) return tearDown(ctx);
  void ctx.scope?.close(); // has nothing to fail at
  return void ctx.runEndings();
}

async function tearDown(ctx: Context): Promise<void> {
  try {
    await ctx.scope?.close(ctx.failure);
  } catch (error) {
    ctx.log.error({ err: error, path: ctx.path }, 'clean-up after a request failed');
  }
  await ctx.runEndings();
}
