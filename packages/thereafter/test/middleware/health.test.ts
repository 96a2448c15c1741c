import { createApp } from 'thereafter';
import { health, type HealthOptions } from 'thereafter/health';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

function app(options?: HealthOptions) {
  const { logger, lines } = capturedLog();
  return { app: createApp({ ...QUIET, logger }).use(health(options)), lines };
}

describe('health', () => {
  it('says that the process lives and is ready', async () => {
    await using server = await serve(app({ checks: { database: () => 'any value' } }).app);
    const live = await get(server, '/livez');
    expect([live.status, live.body.toString()]).toEqual([200, '{"status":"ok"}']);
    const ready = await get(server, '/readyz');
    expect(ready.status).toBe(200);
    expect(ready.headers['cache-control']).toBe('no-store');
    expect(JSON.parse(ready.body.toString())).toEqual({
      status: 'ok',
      checks: { database: 'ok' },
    });
    expect((await get(server, '/readyz', {}, 'HEAD')).status).toBe(200);
    expect((await get(server, '/readyz', {}, 'POST')).status).toBe(404);
    expect((await get(server, '/other')).status).toBe(404);
  });

  it('is not ready while a check fails; why is logged once, and not told', async () => {
    let isDown = true;
    const { app: sut, lines } = app({
      checks: {
        async database() {
          if (isDown) throw new Error('password wrong');
        },
        cache: () => undefined,
      },
    });
    await using server = await serve(sut);
    for (let i = 0; i < 2; i++) {
      const { status, body } = await get(server, '/readyz');
      expect(status).toBe(503);
      expect(JSON.parse(body.toString())).toEqual({
        status: 'failed',
        checks: { database: 'failed', cache: 'ok' },
      });
    }
    expect((await get(server, '/livez')).status).toBe(200);
    expect(lines.filter((line) => 'check' in line)).toEqual([
      expect.objectContaining({
        check: 'database',
        err: expect.objectContaining({ message: 'password wrong' }),
      }),
    ]);
    isDown = false;
    expect((await get(server, '/readyz')).status).toBe(200);
  });

  it('does not wait longer than its timeout for a check', async () => {
    const aborted = Promise.withResolvers<unknown>();
    const stuck = (signal: AbortSignal) => {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason));
      return new Promise(() => {});
    };
    await using server = await serve(app({ checks: { stuck }, timeout: '20ms' }).app);
    expect((await get(server, '/readyz')).status).toBe(503);
    expect(await aborted.promise).toMatchObject({ name: 'TimeoutError' });
  });

  it('answers at other paths', async () => {
    await using server = await serve(app({ livePath: '/up', readyPath: '/in' }).app);
    expect((await get(server, '/up')).status).toBe(200);
    expect((await get(server, '/in')).status).toBe(200);
    expect((await get(server, '/livez')).status).toBe(404);
  });

  it('lives but is not ready while the app drains', async () => {
    const gate = Promise.withResolvers<void>();
    let entered = 0;
    const bothEntered = Promise.withResolvers<void>();
    const sut = createApp(QUIET)
      .use(async (_, next) => {
        if (++entered === 2) bothEntered.resolve();
        await gate.promise;
        return next();
      })
      .use(health());
    await using server = await serve(sut);
    const answers = Promise.all([get(server, '/livez'), get(server, '/readyz')]);
    await bothEntered.promise;
    const closed = sut.close();
    gate.resolve();
    const [live, ready] = await answers;
    expect([live.status, ready.status]).toEqual([200, 503]);
    expect(ready.body.toString()).toBe('{"status":"draining"}');
    await closed;
  });
});
