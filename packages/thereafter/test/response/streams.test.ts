import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createApp, HttpReply, type Context } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { QUIET, serve } from '../support/serve.ts';

const FOREVER = (onRead: () => void, onDestroy: () => void): Readable =>
  new Readable({
    read() {
      onRead();
      setImmediate(() => this.push(Buffer.alloc(64 * 1024)));
    },
    destroy(error, done) {
      onDestroy();
      done(error);
    },
  });

describe('a streamed body', () => {
  it('is sent from Node streams, web streams and async iterables', async () => {
    const app = createApp(QUIET)
      .get('/node', () => Readable.from(['a', 'b']))
      .get('/web', () => new Blob(['ab']).stream())
      .get('/bytes', () => new Uint8Array([97, 98]).buffer)
      .get('/response', () => new Response('ab', { headers: { 'x-from': 'web' } }));
    await using server = await serve(app);
    for (const path of ['/node', '/web', '/bytes', '/response']) {
      expect(await (await server.fetch(path)).text()).toBe('ab');
    }
  });

  it('waits for a client that reads slowly', async () => {
    let reads = 0;
    const app = createApp(QUIET)
      .get('/', () =>
        FOREVER(
          () => (reads += 1),
          () => undefined,
        ),
      )
      .get('/other', () => 'ok');
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.pause();
    await once(socket, 'connect');
    let before = -1;
    while (reads === 0 || before !== reads) {
      before = reads;
      await (await server.fetch('/other')).text(); // the server has gone on
    }
    expect(reads).toBeLessThan(1000); // what the buffers of two sockets hold
    socket.destroy();
  });

  it('is destroyed when the client leaves, which is nobody’s fault', async () => {
    const destroyed = Promise.withResolvers<void>();
    const app = createApp(QUIET).get('/', () => FOREVER(() => undefined, destroyed.resolve));
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    await destroyed.promise;
    await app.tasks.settled();
    expect(errors).toEqual([]);
  });

  it('cancels a web stream when the client leaves', async () => {
    const cancelled = Promise.withResolvers<string>();
    const app = createApp(QUIET).get(
      '/',
      () =>
        new ReadableStream({
          pull: async (controller) => {
            await new Promise(setImmediate);
            controller.enqueue(new Uint8Array(1024));
          },
          cancel: () => cancelled.resolve('cancelled'),
        }),
    );
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
    socket.destroy();
    expect(await cancelled.promise).toBe('cancelled');
  });

  it('is not read for HEAD, and destroyed', async () => {
    let reads = 0;
    const destroyed = Promise.withResolvers<void>();
    const app = createApp(QUIET).get('/', () => FOREVER(() => (reads += 1), destroyed.resolve));
    await using server = await serve(app);
    const response = await server.fetch('/', { method: 'HEAD' });
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    await destroyed.promise;
    expect(reads).toBe(0);
  });

  it('that errs is an aborted response, logged once with the id, and its tasks run', async () => {
    const ran: unknown[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(() => void ran.push(ctx.outcome));
      return Readable.from(
        (async function* () {
          yield 'half';
          await new Promise(setImmediate);
          throw new Error('half-way');
        })(),
      );
    });
    const errors = loggedErrors(app);
    await using server = await serve(app);
    await expect(server.fetch('/').then((r) => r.text())).rejects.toThrow('terminated');
    await app.tasks.settled();
    expect(errors).toMatchObject([{ id: expect.any(String), err: { message: 'half-way' } }]);
    expect(ran).toEqual(['failed']);
  });

  it('that errs at once never hangs the client', async () => {
    const app = createApp(QUIET).get(
      '/',
      () =>
        new Readable({
          read() {
            this.destroy(new Error('at once'));
          },
        }),
    );
    await using server = await serve(app);
    await expect(server.fetch('/').then((r) => r.text())).rejects.toThrow(
      /terminated|fetch failed/,
    );
  });
});

describe('ctx.signal', () => {
  it('does not abort when the response ends normally', async () => {
    const signals: AbortSignal[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }: { ctx: Context }) => {
      signals.push(ctx.signal);
      ctx.tasks.add(() => undefined);
      return Readable.from(['all']);
    });
    await using server = await serve(app);
    expect(await (await server.fetch('/')).text()).toBe('all');
    await app.tasks.settled();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  });
});

describe('response headers', () => {
  it('keep several Set-Cookie apart, from the context and from a Response', async () => {
    const app = createApp(QUIET)
      .get('/ctx', ({ ctx }) => {
        ctx.header('set-cookie', 'a=1');
        ctx.header('Set-Cookie', 'b=2');
        return 'ok';
      })
      .get('/web', () => {
        const headers = new Headers();
        headers.append('set-cookie', 'a=1');
        headers.append('set-cookie', 'b=2');
        return new Response('ok', { headers });
      });
    await using server = await serve(app);
    for (const path of ['/ctx', '/web']) {
      expect((await server.fetch(path)).headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    }
  });

  it('of a reply replace those of the context, and add to vary', async () => {
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.header('content-type', 'text/csv');
      ctx.header('vary', 'origin');
      return new HttpReply('<p>', { headers: { 'content-type': 'text/html', vary: 'accept' } });
    });
    await using server = await serve(app);
    const { headers } = await server.fetch('/');
    expect(headers.get('content-type')).toBe('text/html');
    expect(headers.get('vary')).toBe('origin, accept');
  });

  it('with a line break are a 500, logged once without the value', async () => {
    const app = createApp(QUIET)
      .get('/ctx', ({ ctx }) => ctx.header('x-note', 'a\r\nset-cookie: evil=1'))
      .get(
        '/reply',
        () => new HttpReply('ok', { headers: { 'x-note': 'a\r\nset-cookie: evil=1' } }),
      );
    const errors = loggedErrors(app);
    await using server = await serve(app);
    for (const path of ['/ctx', '/reply']) {
      const response = await server.fetch(path);
      expect(response.status).toBe(500);
      expect(response.headers.has('set-cookie')).toBe(false);
    }
    expect(errors.map(({ err }) => (err as Error).message)).toEqual([
      'Invalid character in header content ["x-note"]',
      'Invalid character in header content ["x-note"]',
    ]);
  });

  it.each([204, 304])('of a %i come without a body', async (status) => {
    const app = createApp(QUIET).get(
      '/',
      () => new HttpReply('body', { status, headers: { etag: '"1"' } }),
    );
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    const answer = await text(socket);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('etag: "1"\r\n');
    expect(answer).not.toMatch(/content-length|content-type|transfer-encoding/i);
    expect(answer.endsWith('\r\n\r\n')).toBe(true);
  });
});
