import type { JobRecord } from './driver.ts';

/**
 * How jobs take part in traces. `telemetry()` of `@thereafter/queue/telemetry` is one, on
 * OpenTelemetry.
 */
export interface Tracing {
  /** The W3C trace context of who enqueues now, to be stored with the job. */
  current(): string | undefined;
  /** Begins the span of an attempt. */
  start(job: JobRecord): JobSpan | undefined;
}

export interface JobSpan {
  /** Calls a function with the span as the active one. */
  run<T>(call: () => T): T;
  /** @param error - What the attempt threw, if it did. */
  end(error?: unknown): void;
}
