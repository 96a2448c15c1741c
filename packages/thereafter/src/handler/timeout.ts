import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { Readable } from 'node:stream';
import { exchangeOf, type Context } from '../context.ts';
import { LONGEST_TIMER_MS } from '../limits.ts';
import { ServiceUnavailable } from '../response/problem.ts';
import { HttpReply, Reply } from '../response/reply.ts';
import { isResponse } from '../response/to-reply.ts';
import { isThenable } from '../untrusted.ts';

/** How long a handler may take; false for as long as it likes. */
export type HandlerTimeout = Duration | false;

/** A handler took longer than it may. What the client is told, and the reason of `ctx.signal`. */
class HandlerTooSlow extends ServiceUnavailable {
  constructor(route: string, timeoutMs: number) {
    super(`${route} took longer than its handlerTimeout of ${timeoutMs} ms.`);
  }
}

type Run = (ctx: Context) => unknown;

/**
 * Gives up a route that takes longer than it may. What it still does, and gives, counts no more.
 *
 * @param route - Its name.
 */
export function runWithin(timeout: Duration, route: string, run: Run): Run {
  const timeoutMs = Math.min(toMilliseconds(timeout), LONGEST_TIMER_MS);
  return (ctx) => {
    const value = run(ctx);
    if (!isThenable(value)) return value; // no timer could have fired before
    return new Promise((resolve, reject) => {
      const exchange = exchangeOf(ctx);
      // What was made for the request ends with it, and what is made later ends here.
      const endLate = (): void => {
        if (exchange.state === 'ended') void exchange.scope?.close(exchange.failure).catch(ignore);
      };
      const timer = setTimeout(() => {
        const error = new HandlerTooSlow(route, timeoutMs);
        reject(error);
        exchange.giveUp(error);
      }, timeoutMs);
      Promise.resolve(value).then(
        (settled) => {
          clearTimeout(timer);
          if (!exchange.isGivenUp) return resolve(settled);
          drop(settled);
          endLate();
        },
        (error: unknown) => {
          clearTimeout(timer);
          reject(error); // which changes nothing if it was given up
          endLate();
        },
      );
    });
  };
}

function ignore(): void {}

/** Lets go of a result that comes too late: what nobody reads may hold a file or a connection. */
function drop(result: unknown): void {
  try {
    const value = result instanceof HttpReply ? result.value : result;
    const body = value instanceof Reply || isResponse(value) ? value.body : value;
    if (body instanceof Readable) body.destroy();
    else if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
  } catch {
    // it cannot be looked at
  }
}
