import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { createApp, HttpClient } from 'thereafter';
import { compress } from 'thereafter/compress';
import { etag } from 'thereafter/etag';
import { describe, expect, it } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const MIB = 1024 * 1024;

/** A server that is asked by the app, on a free port. */
async function upstream(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

describe('a Response that a program keeps', () => {
  const bodies: [string, () => ConstructorParameters<typeof Response>[0], string][] = [
    ['text', () => 'kept', 'kept'],
    ['bytes', () => new Uint8Array([107, 101]), 'ke'],
    ['a blob', () => new Blob(['kept', ' ', 'blob']), 'kept blob'],
    ['a form', () => new URLSearchParams({ a: '1' }), 'a=1'],
    ['a web stream', () => new Blob(['streamed']).stream(), 'streamed'],
    [
      'a slow stream',
      () =>
        ReadableStream.from(
          (async function* () {
            for (const piece of ['a', 'b', 'c']) {
              await new Promise(setImmediate);
              yield Buffer.from(piece);
            }
          })(),
        ) as ReadableStream,
      'abc',
    ],
    ['many bytes', () => new Uint8Array(MIB).fill(120), 'x'.repeat(MIB)],
    ['nothing', () => null, ''],
  ];

  it.each(bodies)('with %s is answered each time it is returned', async (_, make, sent) => {
    const kept = new Response(make(), { headers: { 'x-kept': 'yes' } });
    const app = createApp(QUIET).get('/', () => kept);
    await using server = await serve(app);
    expect((await server.fetch('/', { method: 'HEAD' })).status).toBe(200);
    for (let time = 0; time < 2; time++) {
      const both = await Promise.all([server.fetch('/'), server.fetch('/')]);
      expect(both.map(({ status }) => status)).toEqual([200, 200]);
      expect(both[0].headers.get('x-kept')).toBe('yes');
      expect(await Promise.all(both.map((response) => response.text()))).toEqual([sent, sent]);
    }
  });

  it('is answered when the first client left before its end', async () => {
    const pieces = Promise.withResolvers<void>();
    const kept = new Response(
      ReadableStream.from(
        (async function* () {
          yield Buffer.from('a');
          await pieces.promise;
          yield Buffer.from('b');
        })(),
      ),
    );
    const app = createApp(QUIET).get('/', () => kept);
    await using server = await serve(app);
    const leaving = new AbortController();
    const first = await server.fetch('/', { signal: leaving.signal });
    const second = await server.fetch('/');
    leaving.abort();
    await expect(first.text()).rejects.toThrow('aborted');
    pieces.resolve();
    expect(await second.text()).toBe('ab');
    expect(await (await server.fetch('/')).text()).toBe('ab');
  });

  it('is not changed by what middleware makes of its answer', async () => {
    const kept = new Response('x'.repeat(5000), { headers: { 'content-type': 'text/plain' } });
    const app = createApp(QUIET)
      .use(compress())
      .use(etag())
      .get('/', () => kept);
    await using server = await serve(app);
    for (let time = 0; time < 2; time++) {
      expect((await get(server, '/', { 'accept-encoding': 'gzip' })).body.length).toBeLessThan(500);
      expect((await get(server, '/')).body.toString()).toBe('x'.repeat(5000));
    }
    expect([...kept.headers.keys()]).toEqual(['content-type']);
  });

  it('and is too large to be kept is sent once, whatever the size of its pieces, and then is a 500 that says why', async () => {
    const app = createApp(QUIET);
    const sizes = [MIB + 1, 3 * MIB];
    for (const size of sizes) {
      const kept = new Response(new Uint8Array(size));
      app.get(`/${size}`, () => kept);
    }
    const errors = loggedErrors(app);
    await using server = await serve(app);
    for (const size of sizes) {
      expect((await (await server.fetch(`/${size}`)).arrayBuffer()).byteLength).toBe(size);
      expect((await server.fetch(`/${size}`)).status).toBe(500);
    }
    expect(errors).toMatchObject([
      { err: { code: 'RESPONSE_BODY_USED', message: expect.stringContaining('1048576 bytes') } },
      { err: { code: 'RESPONSE_BODY_USED' } },
    ]);
  });

  it('is let go, and not kept, when its only client leaves and its source does not go on', async () => {
    const cancelled = Promise.withResolvers<void>();
    const kept = new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(Buffer.from('a')),
        cancel: () => cancelled.resolve(),
      }),
    );
    const app = createApp(QUIET).get('/', () => kept);
    await using server = await serve(app);
    const leaving = new AbortController();
    const response = await server.fetch('/', { signal: leaving.signal });
    leaving.abort();
    await expect(response.text()).rejects.toThrow('aborted');
    await cancelled.promise;
    expect((await server.fetch('/')).status).toBe(500);
  });
});

describe('a body that was read before', () => {
  const used: [string, () => unknown][] = [
    [
      'a Response that was read',
      async () => {
        const response = new Response('read');
        await response.text();
        return response;
      },
    ],
    [
      'a Response that is being read',
      () => {
        const response = new Response('read');
        response.body!.getReader();
        return response;
      },
    ],
    [
      'a web stream that is being read',
      () => {
        const stream = new Blob(['read']).stream();
        stream.getReader();
        return stream;
      },
    ],
    [
      'a Node stream that was read',
      async () => {
        const stream = Readable.from(['read']);
        await stream.toArray();
        return stream;
      },
    ],
    ['a Node stream that was destroyed', () => Readable.from(['read']).destroy()],
  ];
  it.each(used)('such as %s is a 500, and the server goes on', async (_, make) => {
    const app = createApp(QUIET).get('/', make);
    const errors = loggedErrors(app);
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    expect(errors).toMatchObject([{ err: { code: 'RESPONSE_BODY_USED' } }]);
    expect((await server.fetch('/nothing')).status).toBe(404);
  });

  it('or that fails before it is sent is a 500 with its own error in the log', async () => {
    const app = createApp(QUIET)
      .use(async (_, next) => {
        const reply = await next();
        await new Promise(setImmediate);
        return reply;
      })
      .get('/', () => {
        const stream = new Readable({ read: () => undefined });
        setImmediate(() => stream.destroy(new Error('too early')));
        return stream;
      });
    const errors = loggedErrors(app);
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    expect(errors).toMatchObject([{ err: { message: 'too early' } }]);
  });
});

describe('a Response of fetch', () => {
  const body = 'plain '.repeat(100);
  const gzipped: RequestListener = (_, res) => {
    res
      .writeHead(200, {
        'content-encoding': 'gzip',
        'content-length': gzipSync(body).length,
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        etag: '"1"',
        'set-cookie': ['a=1', 'b=2'],
      })
      .end(gzipSync(body));
  };

  it.each(['fetch', 'HttpClient'])('by %s claims nothing that was decoded', async (by) => {
    await using source = await upstream(gzipped);
    await using client = new HttpClient();
    const app = createApp(QUIET).get('/', () =>
      by === 'fetch' ? fetch(source.url) : client.get(source.url),
    );
    await using server = await serve(app);
    const { headers, body: sent } = await get(server, '/');
    expect(sent.toString()).toBe(body);
    expect(headers).toMatchObject({ etag: 'W/"1"', 'set-cookie': ['a=1', 'b=2'] });
    for (const name of ['content-encoding', 'content-length', 'x-hop']) {
      expect(headers[name]).toBeUndefined();
    }
  });

  it('keeps what was not decoded', async () => {
    await using source = await upstream((_, res) => {
      res.writeHead(200, { 'content-encoding': 'rot13', 'content-length': 3 }).end('nop');
    });
    const app = createApp(QUIET).get('/', () => fetch(source.url));
    await using server = await serve(app);
    const { headers, body: sent } = await get(server, '/');
    expect(sent.toString()).toBe('nop');
    expect(headers).toMatchObject({ 'content-encoding': 'rot13', 'content-length': '3' });
  });
});
