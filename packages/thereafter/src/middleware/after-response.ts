import type { Outcome } from '@thereafter/tasks';
import { exchangeOf, type Context } from '../context.ts';

/** How a response ended. */
export interface ResponseEnd {
  /** Undefined when the client left before there was one. */
  readonly status: number | undefined;
  /** Since `afterResponse` was called. */
  readonly elapsedMs: number;
  readonly outcome: Outcome;
}

/** Calls back once when the response is over, before the tasks of the request. What that throws is logged. */
export function afterResponse(ctx: Context, done: (end: ResponseEnd) => unknown): void {
  const startedAtMs = performance.now();
  const exchange = exchangeOf(ctx);
  exchange.onResponseEnd((outcome) => {
    const { res } = exchange;
    return done({
      status: res.headersSent ? res.statusCode : undefined,
      elapsedMs: performance.now() - startedAtMs,
      outcome,
    });
  });
}
