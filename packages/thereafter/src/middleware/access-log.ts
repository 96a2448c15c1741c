import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { afterResponse } from './after-response.ts';

export interface AccessLogOptions {
  /** Requests that leave no line, e.g. those of a load balancer; default none. */
  readonly skip?: (ctx: Context) => boolean;
}

/**
 * Writes one line for each request into the app's log when its response has ended, whatever tasks
 * are still to run: `requestId`, `method`, `path` without the query, `route`, `status`, `durationMs`
 * and `outcome`. A client that left before it was answered has no status. Errors are logged besides.
 * Add it after `requestId()` and before everything else, so that it measures all of that.
 */
export function accessLog({ skip }: AccessLogOptions = {}): Middleware {
  return (ctx, next) => {
    if (skip?.(ctx) !== true) {
      const { method, path, log } = ctx;
      afterResponse(ctx, ({ status, elapsedMs, outcome }) => {
        const durationMs = Math.round(elapsedMs * 100) / 100;
        log.info({ method, path, route: ctx.route, status, durationMs, outcome }, 'request');
      });
    }
    return next();
  };
}
