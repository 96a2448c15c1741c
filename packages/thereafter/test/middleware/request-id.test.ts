import { createApp } from 'thereafter';
import { requestId, type RequestIdOptions } from 'thereafter/request-id';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { get } from '../support/raw.ts';
import { serve } from '../support/serve.ts';

function app(options?: RequestIdOptions) {
  const { logger, lines } = capturedLog();
  const app = createApp({ logger, shutdown: { signals: false } })
    .use((ctx, next) => {
      ctx.log.info('before the id is known');
      return next();
    })
    .use(requestId(options))
    .get('/', ({ ctx }) => {
      ctx.log.info('handled');
      return ctx.id;
    });
  return { app, lines };
}

describe('requestId', () => {
  it('tells the id of problems and log lines', async () => {
    const { app: sut, lines } = app();
    await using server = await serve(sut);
    const { headers, body } = await get(server, '/');
    expect(headers['x-request-id']).toBe(body.toString());
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'handled', requestId: body.toString() }),
    );
    const missing = await get(server, '/nowhere');
    const problem = JSON.parse(missing.body.toString()) as { requestId: string };
    expect(problem.requestId).toBe(missing.headers['x-request-id']);
  });

  it('ignores the id that a client claims', async () => {
    await using server = await serve(app().app);
    const { body } = await get(server, '/', { 'x-request-id': 'mine' });
    expect(body.toString()).toMatch(/^[\da-f-]{36}$/);
  });

  it('takes over the id of a proxy when told so, in the log too', async () => {
    const { app: sut, lines } = app({ trust: true, header: 'X-Trace' });
    await using server = await serve(sut);
    const { headers, body } = await get(server, '/', { 'x-trace': 'abc-123' });
    expect([body.toString(), headers['x-trace']]).toEqual(['abc-123', 'abc-123']);
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'handled', requestId: 'abc-123' }));
  });

  it('decides by request', async () => {
    const trust: RequestIdOptions['trust'] = (ctx) => ctx.headers['x-proxy'] === 'yes';
    await using server = await serve(app({ trust }).app);
    const id = { 'x-request-id': 'abc' };
    expect((await get(server, '/', { ...id, 'x-proxy': 'yes' })).body.toString()).toBe('abc');
    expect((await get(server, '/', id)).body.toString()).not.toBe('abc');
  });

  it.each(['', 'a b', 'a"b', '<script>', 'x'.repeat(129), 'é'])(
    'makes an id of its own where a trusted one is %j',
    async (id) => {
      await using server = await serve(app({ trust: true }).app);
      const { body } = await get(server, '/', { 'x-request-id': id });
      expect(body.toString()).toMatch(/^[\da-f-]{36}$/);
    },
  );
});
