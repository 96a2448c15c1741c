import {
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api';
import type { JobRecord } from './driver.ts';
import type { JobSpan, Tracing } from './events.ts';

/**
 * Traces each attempt of a job as an OpenTelemetry span of its own below the one that enqueued the job,
 * in whatever process that was: `jobs({ driver, tracing: telemetry() })`. Needs the package
 * `@opentelemetry/api`, and does nothing until the program has set up an SDK. Payloads and results are
 * not recorded.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
 */
export function telemetry(): Tracing {
  return { current, start };
}

function current(): string | undefined {
  const span = trace.getSpanContext(context.active());
  if (!span || !isSpanContextValid(span)) return undefined;
  const flags = span.traceFlags.toString(16).padStart(2, '0');
  return `00-${span.traceId}-${span.spanId}-${flags}`;
}

function start(job: JobRecord): JobSpan {
  const parent = parse(job.traceparent);
  const parentContext = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  const dueMs = Math.max(job.runAtMs, job.enqueuedAtMs);
  const span = tracer().startSpan(
    `job ${job.task}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.system': 'thereafter',
        'messaging.operation.type': 'process',
        'messaging.destination.name': job.queue,
        'messaging.message.id': job.id,
        'thereafter.job.task': job.task,
        'thereafter.job.attempt': job.attempt,
        'thereafter.job.queue_time_ms': Math.max(0, (job.startedAtMs ?? dueMs) - dueMs),
      },
    },
    parentContext,
  );
  const spanContext = trace.setSpan(parentContext, span);
  return {
    run: (call) => context.with(spanContext, call),
    end(error) {
      if (error !== undefined) {
        span.setAttribute('error.type', error instanceof Error ? error.name : 'thrown');
        span.setStatus({ code: SpanStatusCode.ERROR });
        if (error instanceof Error) span.recordException(error);
      }
      span.end();
    },
  };
}

/** Of the SDK that is set up now, which may be later than this module. */
function tracer(): Tracer {
  return trace.getTracer('@thereafter/queue');
}

/** @see https://www.w3.org/TR/trace-context/#traceparent-header */
function parse(traceparent: string | null): SpanContext | undefined {
  const [, traceId, spanId, flags] =
    /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & TraceFlags.SAMPLED) !== 0;
  return {
    traceId,
    spanId,
    traceFlags: isSampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}
