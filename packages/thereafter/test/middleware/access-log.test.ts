import { once } from 'node:events';
import { request } from 'node:http';
import { createApp } from 'thereafter';
import { accessLog, type AccessLogOptions } from 'thereafter/access-log';
import { requestId } from 'thereafter/request-id';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

function app(options?: AccessLogOptions) {
  const { logger, lines } = capturedLog();
  const sut = createApp({ ...QUIET, logger })
    .use(requestId())
    .use(accessLog(options))
    .get('/users/:id', () => 'user')
    .get('/broken', () => {
      throw new Error('secret');
    })
    .get('/half', async function* () {
      yield 1;
      throw new Error('half-way');
    });
  const requests = () => lines.filter((line) => 'msg' in line && line.msg === 'request');
  return { app: sut, lines, requests };
}

describe('accessLog', () => {
  it('writes one line for a request, without its query', async () => {
    const { app: sut, requests } = app();
    await using server = await serve(sut);
    const { headers } = await get(server, '/users/7?token=secret');
    await expect.poll(requests).toHaveLength(1);
    expect(requests()[0]).toMatchObject({
      requestId: headers['x-request-id'],
      method: 'GET',
      path: '/users/7',
      route: '/users/:id',
      status: 200,
      durationMs: expect.any(Number),
      outcome: 'sent',
    });
    expect(JSON.stringify(requests())).not.toContain('secret');
  });

  it('writes it when the response has ended, not the tasks', async () => {
    const gate = Promise.withResolvers<void>();
    const { app: sut, requests } = app();
    sut.get('/task', ({ ctx }) => {
      ctx.tasks.add(() => gate.promise);
      return 'queued';
    });
    await using server = await serve(sut);
    await get(server, '/task');
    await expect.poll(requests).toHaveLength(1);
    expect(sut.tasks.pending).toBe(1);
    gate.resolve();
  });

  it('has the status of errors, which are logged besides', async () => {
    const { app: sut, lines, requests } = app();
    await using server = await serve(sut);
    await get(server, '/nowhere');
    await get(server, '/broken');
    await expect.poll(requests).toHaveLength(2);
    expect(requests()).toEqual([
      expect.objectContaining({ status: 404, outcome: 'sent' }),
      expect.objectContaining({ status: 500, outcome: 'sent' }),
    ]);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'request failed' }));
  });

  it('tells of a client that left, and of a body that broke', async () => {
    const entered = Promise.withResolvers<void>();
    const { app: sut, requests } = app();
    sut.get('/slow', async ({ ctx }) => {
      entered.resolve();
      await once(ctx.signal, 'abort');
    });
    await using server = await serve(sut);
    const req = request(`${server.url}/slow`).end();
    req.on('error', () => undefined);
    await entered.promise;
    req.destroy();
    await expect.poll(requests).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ path: '/slow', outcome: 'aborted' });
    expect(requests()[0]).not.toHaveProperty('status');
    await get(server, '/half').catch(() => undefined);
    await expect.poll(requests).toHaveLength(2);
    expect(requests()[1]).toMatchObject({ path: '/half', outcome: 'failed' });
  });

  it('skips what it is told to', async () => {
    const { app: sut, requests } = app({ skip: (ctx) => ctx.path === '/nowhere' });
    await using server = await serve(sut);
    await get(server, '/nowhere');
    await get(server, '/users/1');
    await expect.poll(requests).toHaveLength(1);
    expect(requests()[0]).toMatchObject({ path: '/users/1' });
  });

  it('tells somebody else instead, before the tasks start', async () => {
    const told: unknown[] = [];
    const sut = app({ write: (entry, ctx) => told.push({ ...entry, id: ctx.id }) });
    sut.app.get('/task', ({ ctx }) => {
      ctx.tasks.add(() => void told.push('the task'));
      return 'queued';
    });
    await using server = await serve(sut.app);
    const { headers } = await get(server, '/task?a=1');
    await sut.app.tasks.settled();
    expect(told).toEqual([
      {
        id: headers['x-request-id'],
        method: 'GET',
        path: '/task',
        route: '/task',
        status: 200,
        durationMs: expect.any(Number),
        outcome: 'sent',
      },
      'the task',
    ]);
    expect(sut.requests()).toEqual([]);
  });
});
