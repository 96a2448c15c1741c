import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { channel } from 'node:diagnostics_channel';
import { createApp } from 'thereafter';
import { telemetry } from 'thereafter/telemetry';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const exporter = new InMemorySpanExporter();
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

beforeAll(() => {
  const spanProcessors = [new SimpleSpanProcessor(exporter)];
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

beforeEach(() => exporter.reset());

afterAll(() => {
  trace.disable();
  context.disable();
  propagation.disable();
});

function app() {
  return createApp(QUIET)
    .use(telemetry())
    .get('/users/:id', async () => {
      await Promise.resolve();
      trace.getTracer('test').startSpan('query').end();
      return 'user';
    })
    .get('/broken', () => {
      throw new Error('secret');
    })
    .get('/task', () => {
      channel('thereafter:task.queued').publish({ taskId: 't1', taskName: 'mail' });
      return 'queued';
    });
}

async function spans(count: number) {
  await expect.poll(() => exporter.getFinishedSpans()).toHaveLength(count);
  return exporter.getFinishedSpans();
}

describe('telemetry', () => {
  it('traces a request as a server span', async () => {
    await using server = await serve(app());
    await get(server, '/users/7?token=secret', { 'user-agent': 'test/1' });
    const [query, span] = await spans(2);
    expect(span).toMatchObject({
      name: 'GET /users/:id',
      kind: SpanKind.SERVER,
      status: { code: SpanStatusCode.UNSET },
    });
    expect(span!.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/users/:id',
      'http.response.status_code': 200,
      'url.scheme': 'http',
      'url.path': '/users/7',
      'server.address': '127.0.0.1',
      'server.port': server.port,
      'client.address': '127.0.0.1',
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
    });
    // What the handler traces is part of it.
    expect(query!.parentSpanContext?.spanId).toBe(span!.spanContext().spanId);
  });

  it('continues the trace of the caller', async () => {
    await using server = await serve(app());
    await get(server, '/users/7', { traceparent: `00-${TRACE}-${SPAN}-01` });
    const [, span] = await spans(2);
    expect(span!.spanContext().traceId).toBe(TRACE);
    expect(span!.parentSpanContext?.spanId).toBe(SPAN);
  });

  it('marks errors of the server, and not those of the client', async () => {
    await using server = await serve(app());
    await get(server, '/broken');
    await get(server, '/made/up');
    const [broken, missing] = await spans(2);
    expect(broken).toMatchObject({
      name: 'GET /broken',
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'http.response.status_code': 500, 'error.type': '500' },
      events: [{ name: 'exception' }],
    });
    expect(missing).toMatchObject({
      name: 'GET',
      status: { code: SpanStatusCode.UNSET },
      attributes: { 'http.response.status_code': 404 },
      events: [],
    });
  });

  it('names in one way the methods that clients make up', async () => {
    await using server = await serve(app());
    await get(server, '/users/7', {}, 'PROPFIND');
    const [span] = await spans(1);
    expect(span).toMatchObject({
      name: '_OTHER',
      attributes: { 'http.request.method_original': 'PROPFIND' },
    });
  });

  it('traces a task below the request that added it', async () => {
    await using server = await serve(app());
    await get(server, '/task');
    const task = { taskId: 't1', taskName: 'mail' };
    channel('thereafter:task.started').publish(task);
    channel('thereafter:task.failed').publish({ ...task, error: new RangeError('full') });
    const [request, span] = await spans(2);
    expect(span).toMatchObject({
      name: 'task mail',
      attributes: { 'thereafter.task.id': 't1', 'error.type': 'RangeError' },
      status: { code: SpanStatusCode.ERROR, message: 'failed' },
    });
    expect(span!.parentSpanContext?.spanId).toBe(request!.spanContext().spanId);
  });

  it('traces the tasks that ran', async () => {
    const sut = app().get('/mail', ({ ctx }) => {
      ctx.tasks.with({ name: 'mail' }).add(() => 'sent');
      return 'queued';
    });
    await using server = await serve(sut);
    await get(server, '/mail');
    const done = await spans(2);
    const request = done.find(({ kind }) => kind === SpanKind.SERVER)!;
    const task = done.find(({ name }) => name === 'task mail')!;
    expect(task.parentSpanContext?.spanId).toBe(request.spanContext().spanId);
    expect(task.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('has nothing to say of a task that was never started', async () => {
    await using server = await serve(app());
    await get(server, '/task');
    channel('thereafter:task.discarded').publish({ taskId: 't1', taskName: 'mail' });
    expect(await spans(1)).toHaveLength(1);
  });
});
