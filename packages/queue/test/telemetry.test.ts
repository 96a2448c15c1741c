import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { telemetry } from '../src/telemetry.ts';
import { testJobs } from '../src/testing/test-jobs.ts';
import { task } from './support/jobs.ts';

const exporter = new InMemorySpanExporter();

beforeAll(() => {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
beforeEach(() => exporter.reset());
afterAll(() => {
  trace.disable();
  context.disable();
});

const work = task('work', async () => {
  await Promise.resolve();
  trace.getTracer('test').startSpan('query').end();
});

describe('telemetry', () => {
  it('traces an attempt below the span that enqueued the job', async () => {
    await using t = await testJobs({ tasks: [work], tracing: telemetry() });
    const parent = trace.getTracer('test').startSpan('request');
    const { id } = await context.with(trace.setSpan(context.active(), parent), () =>
      t.jobs.enqueue(work, {}),
    );
    parent.end();
    await t.jobs.wait(id);
    const [request, query, job] = exporter.getFinishedSpans();
    expect([request!.name, query!.name, job!.name]).toEqual(['request', 'query', 'job work']);
    expect(job!.spanContext().traceId).toBe(parent.spanContext().traceId);
    expect(job!.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(query!.parentSpanContext?.spanId).toBe(job!.spanContext().spanId);
    expect(job!.attributes).toMatchObject({
      'messaging.destination.name': 'default',
      'messaging.message.id': id,
      'thereafter.job.attempt': 1,
    });
    expect(job!.attributes['thereafter.job.queue_time_ms']).toBeGreaterThanOrEqual(0);
    expect(job!.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('starts a trace for a job that nobody traced, and marks an attempt that failed', async () => {
    const fail = task('fail', () => Promise.reject(new TypeError('no')), { attempts: 1 });
    await using t = await testJobs({ tasks: [fail], tracing: telemetry() });
    await t.jobs.wait((await t.jobs.enqueue(fail, {})).id);
    const [job] = exporter.getFinishedSpans();
    expect(job!.parentSpanContext).toBeUndefined();
    expect(job!.attributes['error.type']).toBe('TypeError');
    expect(job!.status.code).toBe(SpanStatusCode.ERROR);
    expect(job!.events[0]?.name).toBe('exception');
  });
});
