import type { Outcome } from '@thereafter/tasks';
import type { Context } from '../context.ts';
import { onResponseEnd } from '../socket/response-end.ts';

/** How a response ended. */
export interface ResponseEnd {
  /** Undefined when the client left before there was one. */
  readonly status: number | undefined;
  /** Since `afterResponse` was called. */
  readonly elapsedMs: number;
  readonly outcome: Outcome;
}

/** Calls back once when the response is over, before the tasks of the request. */
export function afterResponse(ctx: Context, done: (end: ResponseEnd) => void): void {
  const startedAtMs = performance.now();
  const { req, res } = ctx;
  onResponseEnd(req, res, (end) =>
    done({
      status: res.headersSent ? res.statusCode : undefined,
      elapsedMs: performance.now() - startedAtMs,
      outcome: ctx.hasBrokenBody ? 'failed' : end,
    }),
  );
}
