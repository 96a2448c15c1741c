import { channel } from 'node:diagnostics_channel';
import { Counter, Registry } from 'prom-client';
import { createApp } from 'thereafter';
import { metrics, type MetricsOptions } from 'thereafter/metrics';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

function app(options?: MetricsOptions) {
  const registry = new Registry();
  const sut = createApp(QUIET)
    .use(metrics({ registry, ...options }))
    .get('/users/:id', () => 'user')
    .get('/broken', () => {
      throw new Error('secret');
    });
  return { app: sut, registry };
}

describe('metrics', () => {
  it('counts requests by method, pattern and status', async () => {
    const { app: sut, registry } = app();
    await using server = await serve(sut);
    for (const path of ['/users/1', '/users/2?a=1', '/broken', '/made/up', '/metrics']) {
      await get(server, path);
    }
    const counts = async (): Promise<string[]> => {
      const text = (await get(server, '/metrics')).body.toString();
      return text.match(/^http_server_request_duration_seconds_count.*/gm)?.toSorted() ?? [];
    };
    const name = 'http_server_request_duration_seconds_count';
    await expect
      .poll(counts)
      .toEqual([
        `${name}{http_request_method="GET",http_route="",http_response_status_code="404"} 1`,
        `${name}{http_request_method="GET",http_route="/broken",http_response_status_code="500"} 1`,
        `${name}{http_request_method="GET",http_route="/users/:id",http_response_status_code="200"} 2`,
      ]);
    expect(await registry.metrics()).toContain('_bucket{le="0.005"');
  });

  it('names in one way the methods that clients make up', async () => {
    const { app: sut, registry } = app();
    await using server = await serve(sut);
    await get(server, '/users/1', {}, 'PROPFIND');
    await expect.poll(() => registry.metrics()).toContain('http_request_method="_OTHER"');
  });

  it('shows what else the registry has, as Prometheus wants it', async () => {
    const { app: sut, registry } = app();
    new Counter({ name: 'orders', help: 'mine', registers: [registry] }).inc(3);
    await using server = await serve(sut);
    const { headers, body } = await get(server, '/metrics');
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body.toString()).toContain('orders 3');
  });

  it('shows nothing when told so', async () => {
    await using server = await serve(app({ path: false }).app);
    expect((await get(server, '/metrics')).status).toBe(404);
  });

  it('counts the tasks that ran', async () => {
    const { app: sut, registry } = app();
    sut.get('/task', ({ ctx }) => {
      ctx.tasks.with({ name: 'greet' }).add(() => 'hello');
      ctx.tasks.with({ name: 'never', on: 'error' }).add(() => 'never');
    });
    await using server = await serve(sut);
    await get(server, '/task');
    await sut.tasks.settled();
    const text = await registry.metrics();
    expect(text).toContain('thereafter_tasks_total{task="greet",end="succeeded"} 1');
    expect(text).toContain(
      'thereafter_task_duration_seconds_count{task="greet",end="succeeded"} 1',
    );
    expect(text).toContain('thereafter_tasks_total{task="never",end="discarded"} 1');
  });

  it('counts tasks by name and end, once however many apps share a registry', async () => {
    const { registry } = app();
    app({ registry });
    const task = { taskId: '1', taskName: 'mail', error: undefined };
    channel('thereafter:task.succeeded').publish({ ...task, elapsedMs: 20 });
    channel('thereafter:task.discarded').publish({ ...task, elapsedMs: undefined });
    const text = await registry.metrics();
    expect(text).toContain('thereafter_tasks_total{task="mail",end="succeeded"} 1');
    expect(text).toContain('thereafter_tasks_total{task="mail",end="discarded"} 1');
    expect(text).toContain(
      'thereafter_task_duration_seconds_sum{task="mail",end="succeeded"} 0.02',
    );
    expect(text).not.toContain('thereafter_task_duration_seconds_sum{task="mail",end="discarded"}');
  });
});
