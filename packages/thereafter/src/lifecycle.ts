import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CompiledApp } from './compile.ts';
import { Context, exchangeOf } from './context.ts';
import { Exchange } from './exchange.ts';
import { findRoute } from './find-route.ts';
import { refuse } from './middleware.ts';
import type { Problem } from './response/problem.ts';
import { isThenable } from './untrusted.ts';
import { Reply } from './response/reply.ts';
import { toErrorReply, toProblemReply } from './response/thrown.ts';
import { toReply } from './response/to-reply.ts';
import { connectionOf } from './socket/connection.ts';
import { checkHead } from './socket/head.ts';
import { discard, dropBodyHeaders, send } from './socket/send.ts';

/*
 * The path of a request:
 *
 *   socket → route → inputs, dependencies, handler → answer: store → write → over → tasks → end
 *
 * Stages that need not wait do not: a synchronous handler is answered in the turn in which its request
 * came. A value that is thrown anywhere before the answer becomes a problem; what comes after it is
 * none of the client's business, and is logged.
 */

/** Carries one request from the socket to its response. @param refusal - What the socket knows to be wrong. */
export function handle(
  app: CompiledApp,
  req: IncomingMessage,
  res: ServerResponse,
  refusal?: Problem,
): void {
  const ctx = new Context(new Exchange(app, req, res, thereafter));
  app.inFlight.begin();
  const fault = refusal ?? checkHead(req, app.limits);
  try {
    const reply = fault
      ? refuse(app.middleware, ctx, fault)
      : app.onion
        ? app.onion(ctx)
        : dispatch(app, ctx);
    if (isThenable(reply)) {
      Promise.resolve(reply).then(
        (settled) => answer(app, ctx, settled, answerError),
        (error: unknown) => answerError(app, ctx, error),
      );
    } else {
      answer(app, ctx, reply, answerError);
    }
  } catch (error) {
    answerError(app, ctx, error);
  }
}

/** Finds the route and runs it. What middleware of the app is wrapped around. */
export function dispatch(app: CompiledApp, ctx: Context): Reply | PromiseLike<Reply> {
  const route = findRoute(exchangeOf(ctx), app.router);
  if (route instanceof Reply) return route;
  const value = route.run(ctx);
  return isThenable(value)
    ? Promise.resolve(value).then((settled) => toReply(settled, route, ctx))
    : toReply(value, route, ctx);
}

/** Answers with what becomes of an error. */
type AnswerError = (app: CompiledApp, ctx: Context, error: unknown) => void;

/** Stores the durable tasks, then writes the reply. `onFault` answers instead if one of them fails. */
function answer(app: CompiledApp, ctx: Context, reply: Reply, onFault: AnswerError): void {
  const storing = exchangeOf(ctx).queue?.storeDurable();
  if (!storing) return write(app, ctx, reply, onFault);
  storing.then(
    () => write(app, ctx, reply, onFault),
    (error: unknown) => {
      discard(reply.body);
      onFault(app, ctx, error); // 503: the client learns that nothing was stored
    },
  );
}

/** A thrown value becomes a problem, or what `onError` makes of it. */
function answerError(app: CompiledApp, ctx: Context, error: unknown): void {
  const exchange = exchangeOf(ctx);
  exchange.failure = { error };
  dropBodyHeaders(exchange.res);
  const reply = toErrorReply(error, ctx, app.errorHandlers);
  if (isThenable(reply)) void reply.then((settled) => answer(app, ctx, settled, answerPlainly));
  else answer(app, ctx, reply, answerPlainly);
}

/** The last stop: whatever is wrong with the answer to an error, the client gets one. */
function answerPlainly(app: CompiledApp, ctx: Context, error: unknown): void {
  const { path, id, res } = exchangeOf(ctx);
  ctx.log.error({ err: error, path }, 'the answer to a failed request failed too');
  dropBodyHeaders(res);
  write(app, ctx, toProblemReply(error, path, id), answerPlainly);
}

function write(app: CompiledApp, ctx: Context, reply: Reply, onFault: AnswerError): void {
  const exchange = exchangeOf(ctx);
  const { req, res, scope } = exchange;
  if (app.stopping.aborted && connectionOf(req.socket)?.isAtLastAnswer !== false) {
    res.shouldKeepAlive = false; // or its connection would stay open, idle
  }
  try {
    send(res, reply, (error) => {
      ctx.log.error({ err: error, path: ctx.path }, 'the body of a response broke half-way');
      exchange.broke();
    });
  } catch (error) {
    discard(reply.body);
    return onFault(app, ctx, error); // a header was refused
  }
  if (scope) {
    // A scope with nothing to end, and nothing that could still ask it, is over with the reply.
    if (scope.hasTeardowns || mayAskScope(exchange, reply)) exchange.watch();
    else void scope.close(); // has nothing to fail at
  }
  exchange.answered();
  app.inFlight.end();
}

/** Whether something that runs after the reply was written may ask the scope of the request. */
function mayAskScope({ queue }: Exchange, { body }: Reply): boolean {
  return queue?.hasWaiting === true || (typeof body === 'object' && !(body instanceof Uint8Array));
}

/** The response is over and the handler has settled: now the tasks, then the end of the scope. */
function thereafter(exchange: Exchange): void {
  if (exchange.queue) return exchange.queue.release(() => end(exchange));
  const ending = end(exchange);
  if (ending) exchange.app.runner.track(ending);
}

/** Ends what was made for the request. Waits only if there is something to wait for. */
function end(exchange: Exchange): Promise<void> | undefined {
  if (exchange.scope?.hasTeardowns || exchange.hasEndings) return tearDown(exchange);
  void exchange.scope?.close(); // has nothing to fail at
  return exchange.end();
}

async function tearDown(exchange: Exchange): Promise<void> {
  try {
    await exchange.scope?.close(exchange.failure);
  } catch (error) {
    const { log, path } = exchange;
    log.error({ err: error, path }, 'clean-up after a request failed');
  }
  await exchange.end();
}
