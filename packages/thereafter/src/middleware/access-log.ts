import type { Outcome } from '@thereafter/tasks';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { afterResponse } from './after-response.ts';

/** What is told of a request when its response has ended. */
export interface AccessLogEntry {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** The pattern of the route; undefined when there is none. */
  readonly route: string | undefined;
  /** Undefined for a client that left before it was answered. */
  readonly status: number | undefined;
  /** From the arrival at this middleware to the end of the response. */
  readonly durationMs: number;
  readonly outcome: Outcome;
}

/** What `accessLog()` takes. */
export interface AccessLogOptions {
  /** Requests that leave no line, e.g. those of a load balancer; default none. */
  readonly skip?: (ctx: Context) => boolean;
  /** Who is told; default a line in the app's log. Called before the tasks of the request start. */
  readonly write?: (entry: AccessLogEntry, ctx: Context) => void;
}

/**
 * Writes one line for each request into the app's log when its response has ended, whatever tasks
 * are still to run: `requestId`, `method`, `path` without the query, `route`, `status`, `durationMs`
 * and `outcome`. A client that left before it was answered has no status. Errors are logged besides.
 * Add it after `requestId()` and before everything else, so that it measures all of that.
 */
export function accessLog({ skip, write = toLog }: AccessLogOptions = {}): Middleware {
  return (ctx, next) => {
    if (skip?.(ctx) !== true) {
      const { method, path } = ctx;
      afterResponse(ctx, ({ status, elapsedMs, outcome }) => {
        const durationMs = Math.round(elapsedMs * 100) / 100;
        write({ method, path, route: ctx.route, status, durationMs, outcome }, ctx);
      });
    }
    return next();
  };
}

function toLog(entry: AccessLogEntry, { log }: Context): void {
  log.info(entry, 'request');
}
