import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
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
    const entered = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<string>();
    const { app: sut } = app();
    sut.get('/slow', () => {
      entered.resolve();
      return gate.promise;
    });
    await using server = await serve(sut);
    const slow = get(server, '/slow');
    // Half a request each is on its way when the app begins to close.
    const paths = ['/livez', '/readyz'];
    const half = paths.map((path) => {
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n`);
      return { socket, answer: text(socket) };
    });
    await entered.promise;
    await Promise.all(half.map(({ socket }) => once(socket, 'connect')));
    await get(server, '/livez'); // and has arrived, since this came after it
    const closed = sut.close();
    for (const { socket } of half) socket.write('connection: close\r\n\r\n');
    const [live, ready] = await Promise.all(half.map(({ answer }) => answer));
    expect(live).toContain('HTTP/1.1 200');
    expect(ready).toContain('HTTP/1.1 503');
    gate.resolve('slow');
    await Promise.all([closed, slow]);
    expect(ready).toContain('{"status":"draining"}');
  });
});
