import { Registry } from 'prom-client';
import { createApp, type Middleware } from 'thereafter';
import { accessLog, type AccessLogEntry } from 'thereafter/access-log';
import { cors } from 'thereafter/cors';
import { metrics } from 'thereafter/metrics';
import { requestId } from 'thereafter/request-id';
import { securityHeaders } from 'thereafter/security-headers';
import { describe, expect, it } from 'vitest';
import { capturedLog } from './support/captured-log.ts';
import { rawClient, statusOf } from './support/raw.ts';
import { QUIET, serve } from './support/serve.ts';

const REST = 'Host: a\r\nOrigin: https://app.example\r\nX-Request-Id: from-proxy\r\n';

/** What is refused before it is routed: what is sent, the status, and the path that can be known. */
const refused: Record<string, readonly [bytes: string, status: number, path: string]> = {
  'without Host': [`GET /a HTTP/1.1\r\n${REST.slice(9)}\r\n`, 400, '/a'],
  'with two Hosts': [`GET /a?b HTTP/1.1\r\nHost: a\r\n${REST}\r\n`, 400, '/a'],
  'with a Host that is none': [`GET /a HTTP/1.1\r\n${REST.replace('a', 'a b')}\r\n`, 400, '/a'],
  'with a target that is none': [`GET a HTTP/1.1\r\n${REST}\r\n`, 400, 'a'],
  'with a URL that is too long': [
    `GET /${'a'.repeat(9000)} HTTP/1.1\r\n${REST}\r\n`,
    414,
    `/${'a'.repeat(9000)}`,
  ],
  'that expects a miracle': [`GET /a HTTP/1.1\r\n${REST}Expect: a miracle\r\n\r\n`, 417, '/a'],
  'with too many headers': [`GET /a HTTP/1.1\r\n${REST}${'X: 1\r\n'.repeat(100)}\r\n`, 431, '/a'],
  'of another version': [`GET /a HTTP/2.0\r\n${REST}\r\n`, 505, '/a'],
  'with a method that Node knows': [`PROPFIND /a HTTP/1.1\r\n${REST}\r\n`, 501, '/a'],
  'with a method that nobody knows': [`FOO /a?b HTTP/1.1\r\n${REST}\r\n`, 501, '/a'],
  'that is CONNECT': [`CONNECT a:80 HTTP/1.1\r\n${REST}\r\n`, 501, 'a:80'],
  'with a header that is none': [`GET /a HTTP/1.1\r\n${REST}X X: 1\r\n\r\n`, 400, '/a'],
  'with headers that are too large': [
    `GET /a HTTP/1.1\r\n${REST}X: ${'x'.repeat(20_000)}\r\n\r\n`,
    431,
    '/a',
  ],
};

describe('a request that is refused before it is routed', () => {
  it.each(Object.entries(refused))(
    'passes the middleware: %s',
    async (_, [bytes, status, path]) => {
      const { logger, lines } = capturedLog();
      const entries: AccessLogEntry[] = [];
      const registry = new Registry();
      const app = createApp({ ...QUIET, logger })
        .use(requestId({ trust: true }))
        .use(accessLog({ write: (entry) => void entries.push(entry) }))
        .use(metrics({ registry }))
        .use(securityHeaders())
        .use(cors({ origin: ['https://app.example'] }))
        .get('/a', () => 'never');
      await using server = await serve(app);
      await using client = await rawClient(server.port);
      client.send(bytes);
      const [said = ''] = await client.answers(1);
      expect(statusOf(said)).toBe(status);
      expect(said).toMatch(/content-type: application\/problem\+json/i);
      expect(said).toMatch(/x-request-id: from-proxy/i);
      expect(said).toMatch(/x-content-type-options: nosniff/i);
      expect(said).toMatch(/access-control-allow-origin: https:\/\/app\.example/i);
      expect(JSON.parse(said.split('\r\n\r\n')[1]!)).toMatchObject({
        status,
        requestId: 'from-proxy',
        instance: path,
        detail: expect.not.stringContaining('went wrong') as string,
      });
      await expect.poll(() => entries).toMatchObject([{ status, path, outcome: 'sent' }]);
      expect(await registry.metrics()).toMatch(
        new RegExp(`duration_seconds_count{.*http_response_status_code="${status}"} 1`),
      );
      expect(lines).toMatchObject([{ msg: 'listening' }]); // and no failure of the server
    },
  );

  it('is refused whatever middleware would have answered', async () => {
    const answers: Middleware = (ctx) => {
      ctx.header('x-seen', 'yes');
      return new Response('all is well');
    };
    await using server = await serve(createApp(QUIET).use(answers));
    await using client = await rawClient(server.port);
    client.send(refused['with two Hosts']![0]);
    const said = await client.end();
    expect(statusOf(said)).toBe(400);
    expect(said).toMatch(/x-seen: yes/i);
  });

  it('may be told of in the way of the app', async () => {
    const own: Middleware = async (_ctx, next) => {
      try {
        return await next();
      } catch {
        return new Response('no', { status: 418 });
      }
    };
    await using server = await serve(createApp(QUIET).use(own));
    await using client = await rawClient(server.port);
    client.send(refused['with a method that nobody knows']![0]);
    expect(await client.end()).toMatch(/^HTTP\/1\.1 418 [^]*no\r\n0\r\n\r\n$/);
  });

  it('gets the problem when the middleware breaks, and so does the next one', async () => {
    const broken: Middleware = () => {
      throw new Error('broken');
    };
    await using server = await serve(createApp(QUIET).use(broken));
    for (const kind of ['without Host', 'with a method that nobody knows', 'that is CONNECT']) {
      await using client = await rawClient(server.port);
      client.send(refused[kind]![0]);
      expect(statusOf((await client.answers(1))[0])).toBe(500);
    }
  });

  it.each(['with a method that nobody knows', 'that is CONNECT', 'of another version'])(
    'takes its turn behind the answers before it: %s',
    async (kind) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const app = createApp(QUIET)
        .get('/slow', () => promise)
        .get('/soon', () => {
          setImmediate(resolve, 'slow');
          return 'soon';
        });
      await using server = await serve(app);
      await using client = await rawClient(server.port);
      const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
      client.send(`${ask('/slow')}${ask('/soon')}${refused[kind]![0]}`);
      const said = (await client.end()).split(/(?=HTTP\/1\.1 \d)/);
      expect(said.map(statusOf)).toEqual([200, 200, refused[kind]![1]]);
      expect(said.slice(0, 2).map((each) => each.slice(-4))).toEqual(['slow', 'soon']);
    },
  );

  it('does not stop the large answer before it, nor the server when it leaves', async () => {
    const page = Buffer.alloc(8 * 1024 * 1024, 'x');
    const pages = async function* (): AsyncGenerator<Buffer> {
      for (let i = 0; i < 8; i++) yield page.subarray(0, page.length / 8);
    };
    const app = createApp(QUIET).get('/', () => new Response(ReadableStream.from(pages())));
    await using server = await serve(app);
    await using client = await rawClient(server.port);
    client.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${refused['that is CONNECT']![0]}`);
    const said = await client.end();
    expect(said.match(/x{1000}/g)!.length).toBeGreaterThan(8000);
    expect(said).toMatch(/HTTP\/1\.1 501 /);

    await using leaving = await rawClient(server.port);
    leaving.send(`GET / HTTP/1.1\r\nHost: a\r\n\r\n${refused['that is CONNECT']![0]}`);
    await leaving.answers(1);
    leaving.socket.resetAndDestroy();
    expect((await server.fetch('/nowhere')).status).toBe(404);
  });

  it('is written without middleware when nobody can tell what it asks for', async () => {
    let seen = 0;
    const counts: Middleware = (_ctx, next) => {
      seen += 1;
      return next();
    };
    await using server = await serve(createApp(QUIET).use(counts));
    for (const bytes of ['garbage\r\n\r\n', '\u0016\u0003\u0001\r\n\r\n']) {
      await using client = await rawClient(server.port);
      client.send(bytes);
      expect(statusOf(await client.end())).toBe(400);
    }
    expect(seen).toBe(0);
  });
});
