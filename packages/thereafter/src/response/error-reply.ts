import { isPromise } from '@thereafter/di';
import type { Context } from '../context.ts';
import { Problem } from './problem.ts';
import type { Reply } from './reply.ts';
import { fromResponse, isResponse, toProblemReply } from './to-reply.ts';

/**
 * The reply to a thrown value: what `onError` makes of it, else a problem. Faults that are not the
 * client's are logged, those of `onError` itself too. Neither throws nor rejects.
 *
 * @param onError - Gives a problem or a response for the value, or nothing.
 */
export function toErrorReply(
  error: unknown,
  ctx: Context,
  onError: (error: unknown, ctx: Context) => unknown,
): Reply | Promise<Reply> {
  try {
    const handled = onError(error, ctx);
    if (!isPromise(handled)) return toHandledReply(error, handled, ctx);
    return handled
      .then((value) => toHandledReply(error, value, ctx))
      .catch((broken: unknown) => toBrokenHandlerReply(error, broken, ctx));
  } catch (broken) {
    return toBrokenHandlerReply(error, broken, ctx);
  }
}

function toHandledReply(error: unknown, handled: unknown, ctx: Context): Reply {
  if (isResponse(handled)) return fromResponse(handled);
  if (handled !== undefined && !(handled instanceof Problem)) {
    throw new TypeError('An onError handler must give a Problem or a Response.');
  }
  const final = handled ?? error;
  if (!(final instanceof Problem) || final.status >= 500) {
    ctx.log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
  }
  return toProblemReply(final, ctx.path, ctx.id);
}

function toBrokenHandlerReply(error: unknown, broken: unknown, ctx: Context): Reply {
  const both = new AggregateError([error, broken], 'an error handler failed');
  return toHandledReply(both, undefined, ctx);
}
