import type { Context } from './context.ts';
import type { Problem } from './response/problem.ts';
import { Reply } from './response/reply.ts';
import { fromResponse } from './response/to-reply.ts';
import { discard } from './socket/send.ts';

/**
 * A layer around what comes after it: other middleware, then the route. `next()` gives the reply on
 * its way out, or throws what was thrown inside; what no layer catches becomes a problem.
 */
export type Middleware = (
  ctx: Context,
  next: () => Promise<Reply>,
) => Promise<Reply | Response> | Reply | Response;

/** Something that has a context and gives a reply. */
export type Layer = (ctx: Context) => Reply | PromiseLike<Reply>;

/** Wraps a layer into middleware, the first one outermost. Composed once, at start. */
export function wrap(middleware: readonly Middleware[], inner: Layer): Layer {
  return middleware.reduceRight<Layer>(
    (next, layer) => async (ctx) => {
      const reply = await layer(ctx, async () => next(ctx));
      return reply instanceof Reply ? reply : fromResponse(reply);
    },
    inner,
  );
}

/**
 * Refuses a request before it is routed. The middleware of the app sees it as any other, and may catch the
 * fault to say it in its own way, but not answer as if there were none.
 */
export async function refuse(
  middleware: readonly Middleware[],
  ctx: Context,
  fault: Problem,
): Promise<Reply> {
  let isTold = false;
  const tell = (): never => {
    isTold = true;
    throw fault;
  };
  const reply = await wrap(middleware, tell)(ctx);
  if (isTold) return reply;
  discard(reply.body);
  throw fault;
}
