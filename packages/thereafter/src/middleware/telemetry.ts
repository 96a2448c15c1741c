import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context as OtelContext,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { TASK_ENDS } from '@thereafter/tasks';
import { exchangeOf, type Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { Problem } from '../response/problem.ts';
import { afterResponse } from './after-response.ts';
import { knownMethod } from './known-method.ts';
import { onTask } from './task-events.ts';

/**
 * Traces each request as an OpenTelemetry server span, which continues the trace of `traceparent`, and
 * each background task as a span of its own below the one that added it. Needs the package
 * `@opentelemetry/api`, and does nothing until the program has set up an SDK. The query string, which
 * may hold secrets, is not recorded. Add it first.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function telemetry(): Middleware {
  traceTasks();
  return async (ctx, next) => {
    const method = knownMethod(ctx.method);
    const parent = propagation.extract(context.active(), ctx.headers);
    const span = tracer().startSpan(
      method,
      { kind: SpanKind.SERVER, attributes: attributesOf(ctx, method) },
      parent,
    );
    afterResponse(ctx, ({ status, outcome }) => {
      if (ctx.route !== undefined) {
        span.updateName(`${method} ${ctx.route}`);
        span.setAttribute('http.route', ctx.route);
      }
      if (status !== undefined) span.setAttribute('http.response.status_code', status);
      // What is the client's fault is no error of a server.
      if (status !== undefined && status >= 500) {
        span.setAttribute('error.type', String(status));
        span.setStatus({ code: SpanStatusCode.ERROR });
      } else if (outcome === 'failed') {
        span.setAttribute('error.type', 'broken_body');
        span.setStatus({ code: SpanStatusCode.ERROR });
      }
      span.end();
    });
    try {
      return await context.with(trace.setSpan(parent, span), next);
    } catch (error) {
      if (!(error instanceof Problem) || error.status >= 500) recordException(span, error);
      throw error;
    }
  };
}

/** Of the SDK that is set up now, which may be later than this module. */
function tracer(): Tracer {
  return trace.getTracer('thereafter');
}

function attributesOf(ctx: Context, method: string): Attributes {
  const { req } = exchangeOf(ctx);
  const { protocol, hostname, port } = ctx.url;
  const isSecure = protocol === 'https:';
  const attributes: Attributes = {
    'http.request.method': method,
    'url.scheme': isSecure ? 'https' : 'http',
    'url.path': ctx.path,
    'server.address': hostname,
    'server.port': port === '' ? (isSecure ? 443 : 80) : Number(port),
    'client.address': ctx.clientAddress,
    'network.protocol.version': req.httpVersion,
  };
  if (method !== ctx.method) attributes['http.request.method_original'] = ctx.method;
  const agent = ctx.headers['user-agent'];
  if (agent !== undefined) attributes['user_agent.original'] = agent;
  return attributes;
}

function recordException(span: Span, error: unknown): void {
  span.recordException(error instanceof Error ? error : String(error));
}

let tracesTasks = false;

/** The channels tell of the tasks of all apps. Each task that was queued ends once. */
function traceTasks(): void {
  if (tracesTasks) return;
  tracesTasks = true;
  const parents = new Map<string, OtelContext>();
  const spans = new Map<string, Span>();
  onTask('queued', ({ taskId }) => {
    const active = context.active(); // that of who adds the task
    if (trace.getSpan(active)) parents.set(taskId, active);
  });
  onTask('started', ({ taskId, taskName }) => {
    const attributes = { 'thereafter.task.id': taskId, 'thereafter.task.name': taskName };
    const parent = parents.get(taskId) ?? ROOT_CONTEXT;
    spans.set(taskId, tracer().startSpan(`task ${taskName}`, { attributes }, parent));
  });
  for (const end of TASK_ENDS) {
    onTask(end, ({ taskId, error }) => {
      const span = spans.get(taskId);
      parents.delete(taskId);
      spans.delete(taskId);
      if (span === undefined) return;
      if (end !== 'succeeded') {
        span.setAttribute('error.type', error instanceof Error ? error.name : end);
        span.setStatus({ code: SpanStatusCode.ERROR, message: end });
        if (error !== undefined) recordException(span, error);
      }
      span.end();
    });
  }
}
