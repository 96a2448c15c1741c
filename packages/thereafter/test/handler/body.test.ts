import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { body, createApp, type AppOptions } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { rawClient, statusOf } from '../support/raw.ts';
import { QUIET, serve, type Served } from '../support/serve.ts';

const MIB = 1024 * 1024;

function post(server: Served, path: string, content: string | Buffer, headers = {}) {
  return server.fetch(path, {
    method: 'POST',
    body: content,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

describe('body.text(), body.bytes() and body.stream()', () => {
  const app = (options: AppOptions = {}) =>
    createApp({ ...QUIET, ...options })
      .post('/text', { in: { given: body.text() } }, ({ given }) => given)
      .post('/bytes', { in: { given: body.bytes() } }, ({ given }) => given)
      .post('/stream', { in: { given: body.stream() } }, async ({ given }) => text(given))
      .post('/request', async ({ ctx }) => ctx.request.text());

  it.each(['/text', '/bytes', '/stream', '/request'])(
    'give the body to %s as it came',
    async (path) => {
      await using server = await serve(app());
      const response = await post(server, path, 'Ló', { 'content-type': 'x/y' });
      expect(await response.text()).toBe('Ló');
    },
  );

  it.each(['/text', '/bytes', '/stream', '/request'])(
    'refuse 1 MiB and a byte at %s',
    async (path) => {
      await using server = await serve(app());
      expect((await post(server, path, 'x'.repeat(MIB))).status).toBe(200);
      expect((await post(server, path, 'x'.repeat(MIB + 1))).status).toBe(413);
    },
  );

  it.each(['/text', '/bytes', '/stream', '/request'])(
    'refuse 1 MiB and a byte at %s, when nobody says how long it is',
    async (path) => {
      await using server = await serve(app());
      const send = async (content: string): Promise<number> => {
        const init = {
          method: 'POST',
          body: new Blob([content]).stream(),
          duplex: 'half',
        } as const;
        return (await server.fetch(path, init)).status;
      };
      expect(await send('x'.repeat(MIB))).toBe(200);
      expect(await send('x'.repeat(MIB + 1))).toBe(413);
    },
  );

  it.each(['/text', '/bytes', '/stream'])(
    'refuse at %s what becomes more than 1 MiB when it is inflated',
    async (path) => {
      await using server = await serve(app({ limits: { compressedBodies: true } }));
      // Every byte of chance becomes two, so that the sender is well below every limit.
      const send = async (bytes: number): Promise<number> => {
        const coded = gzipSync(randomBytes(bytes / 2).toString('hex'));
        return (await post(server, path, coded, { 'content-encoding': 'gzip' })).status;
      };
      expect(await send(MIB)).toBe(200);
      expect(await send(MIB + 2)).toBe(413);
    },
  );

  it('refuse text that is not UTF-8', async () => {
    await using server = await serve(app());
    expect((await post(server, '/text', Buffer.of(0xc3))).status).toBe(400);
    expect((await post(server, '/bytes', Buffer.of(0xc3))).status).toBe(200);
  });

  it('take the limit of the app, and that of their own before it', async () => {
    const limited = createApp({ ...QUIET, limits: { maxBodyBytes: 3 } })
      .post('/app', { in: { given: body.text() } }, ({ given }) => given)
      .post('/own', { in: { given: body.text({ maxBytes: 4 }) } }, ({ given }) => given);
    await using server = await serve(limited);
    expect((await post(server, '/app', 'four')).status).toBe(413);
    expect((await post(server, '/own', 'four')).status).toBe(200);
    expect((await post(server, '/own', 'fives')).status).toBe(413);
  });

  it('may be asked for twice, as bytes and JSON', async () => {
    const twice = createApp(QUIET).post(
      '/',
      { in: { raw: body.text(), value: body(Type.Object({ a: Type.Integer() })) } },
      (given) => [given.raw, given.value],
    );
    await using server = await serve(twice);
    expect(await (await post(server, '/', '{"a": 1}')).json()).toEqual(['{"a": 1}', { a: 1 }]);
  });

  it('answer 400 when the body breaks off', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send(
      'POST /text HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nbroken\r\n',
    );
    const answers = (await client.end()).split(/(?=HTTP\/1\.1 )/);
    expect(answers.map(statusOf)).toEqual([400]);
  });

  it('let a client that asks first send its body only when it is wanted', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    const head = 'POST /text HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ';
    client.send(`${head}2\r\n\r\n`);
    expect(statusOf((await client.answers(1))[0])).toBe(100);
    client.send('ok');
    expect(statusOf((await client.answers(2))[1])).toBe(200);
    client.send(`${head}2000000\r\n\r\n`);
    const answers = (await client.end()).split(/(?=HTTP\/1\.1 )/);
    expect(answers.map(statusOf)).toEqual([100, 200, 413]);
  });
});

describe('a compressed body', () => {
  const app = (limits = {}) =>
    createApp({ ...QUIET, limits })
      .post('/', { in: { given: body.text() } }, ({ given }) => given)
      .post('/stream', { in: { given: body.stream() } }, async ({ given }) => text(given));

  it('is 415, unless the app has opted in', async () => {
    await using server = await serve(app());
    const response = await post(server, '/', gzipSync('hello'), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(415);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('is inflated when it is %s', async (coding, compress) => {
    await using server = await serve(app({ compressedBodies: true }));
    const headers = { 'content-encoding': coding };
    for (const path of ['/', '/stream']) {
      expect(await (await post(server, path, compress('hello'), headers)).text()).toBe('hello');
      const broken = Buffer.concat([Buffer.from('x'), compress('hello')]);
      expect((await post(server, path, broken, headers)).status).toBe(400);
    }
    expect((await post(server, '/', 'x', { 'content-encoding': 'compress' })).status).toBe(415);
  });

  it('is bounded in size and in ratio', async () => {
    const headers = { 'content-encoding': 'gzip' };
    await using server = await serve(app({ compressedBodies: true }));
    expect((await post(server, '/', gzipSync('x'.repeat(60_000)), headers)).status).toBe(200);
    expect((await post(server, '/', gzipSync('x'.repeat(900_000)), headers)).status).toBe(413);
    const noise = Buffer.from(
      Array.from({ length: 600_000 }, () => Math.random().toString(36)[2]).join(''),
    );
    const large = gzipSync(Buffer.concat([noise, noise]));
    expect(large.length).toBeLessThan(MIB);
    expect((await post(server, '/', large, headers)).status).toBe(413);
  });
});

describe('a JSON body', () => {
  const app = (limits = {}) =>
    createApp({ ...QUIET, limits }).post('/', { in: { given: body(Type.Unknown()) } }, () => 'ok');

  it('may be 64 levels deep, and no more', async () => {
    await using server = await serve(app());
    const nested = (depth: number) =>
      '[{"a":'.repeat(depth / 2) + '"[[[["' + '}]'.repeat(depth / 2);
    expect((await post(server, '/', nested(64))).status).toBe(200);
    expect((await post(server, '/', nested(66))).status).toBe(400);
    expect((await post(server, '/', '['.repeat(500_000))).status).toBe(400);
  });

  it.each(['{"a":{"__proto__":{}}}', '{"constructor":{"prototype":{}}}', '{"\\u005f_proto__":1}'])(
    'is refused with %s, which would reach a prototype',
    async (json) => {
      await using server = await serve(app());
      expect((await post(server, '/', json)).status).toBe(400);
    },
  );

  it('is refused when there is none, which is said', async () => {
    await using server = await serve(app());
    const response = await post(server, '/', '');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ detail: 'The body is empty.' });
  });

  it('is refused when it is not UTF-8', async () => {
    await using server = await serve(app());
    expect((await post(server, '/', Buffer.from([0x22, 0xff, 0x22]))).status).toBe(400);
  });
});

describe('a body that is too large', () => {
  const app = () =>
    createApp(QUIET).post('/', { in: { given: body(Type.Unknown()) } }, () => 'never');

  it('is refused from its length alone', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n',
    );
    const [answer] = await client.answers(1);
    expect(statusOf(answer)).toBe(413);
    expect(answer).toMatch(/connection: close/i);
  });

  it.each(['Content-Length: 2147483648', 'Transfer-Encoding: chunked'])(
    'is refused within the first megabytes of 2 GB, with %s, and memory stays flat',
    async (length) => {
      await using server = await serve(app());
      await using client = await rawClient(server.port);
      const before = process.memoryUsage().rss;
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${length}\r\n\r\n`,
      );
      const piece = Buffer.alloc(64 * 1024, ' ');
      const chunk = length.startsWith('T')
        ? Buffer.concat([Buffer.from('10000\r\n'), piece, Buffer.from('\r\n')])
        : piece;
      let taken = 0;
      const feed = (): void => {
        // As fast as it is taken, and on after the refusal: not everybody listens.
        if (taken >= 2 ** 31 || client.socket.destroyed) return;
        client.socket.write(chunk, (error) => {
          if (error) return;
          taken += chunk.length;
          feed();
        });
      };
      feed();
      expect(statusOf(await client.end())).toBe(413);
      expect(taken).toBeLessThan(12 * MIB); // what the kernel's buffers hold included
      expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    },
  );

  it('still gets its answer when it is sent whole before anything is read', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.socket.pause();
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${MIB + 500_000}\r\n\r\n`,
      Buffer.alloc(MIB + 500_000),
    );
    client.socket.end();
    client.socket.resume();
    expect(statusOf(await client.end())).toBe(413);
  });

  it('is not answered with a reset, which could overtake the answer', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port, true);
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${2 * MIB}\r\n\r\n`,
    );
    expect((await client.answers(1)).map(statusOf)).toEqual([413]);
    for (let piece = 0; piece < 10; piece++) {
      await new Promise((resolve) => client.socket.write(Buffer.alloc(20_000), resolve));
    }
    client.socket.end();
    await client.end();
    expect(client.failure).toBeUndefined();
  });

  it('is refused with 404, too, without being read', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send('POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 2147483648\r\n\r\n');
    const [answer] = await client.answers(1);
    expect(statusOf(answer)).toBe(404);
    expect(answer).toMatch(/connection: close/i);
  });

  it('costs no connection when it is small enough to be dropped', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send(
      'POST /nowhere HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    );
    expect((await client.answers(2)).map(statusOf)).toEqual([404, 405]);
  });
});
