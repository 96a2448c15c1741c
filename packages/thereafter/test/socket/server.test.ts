import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { body, createApp, type Limits } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { exchangeOf } from '../../src/context.ts';
import { DEFAULT_LIMITS, toAppLimits } from '../../src/limits.ts';
import { rawClient, statusOf } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';
import { CERT, KEY } from '../support/tls.ts';

function app(limits: Limits = {}) {
  return createApp({ ...QUIET, limits })
    .get('/', () => 'home')
    .get('/slow', () => new Promise((resolve) => setImmediate(() => resolve('slow'))))
    .post('/', { in: { given: body(Type.Unknown()) } }, ({ given }) => given);
}

/** Everything that the server says to these bytes until it closes. */
async function say(bytes: string, limits: Limits = {}): Promise<string> {
  await using server = await serve(app(limits));
  await using client = await rawClient(server.port);
  client.send(bytes);
  return await client.end(); // before the two are disposed of
}

/** The statuses of everything that the server says. */
async function statuses(bytes: string, limits: Limits = {}): Promise<number[]> {
  const said = await say(bytes, limits);
  return said.split(/(?=HTTP\/1\.1 \d)/).map(statusOf);
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';

describe('the limits', () => {
  it('have these defaults', () => {
    expect(toAppLimits()).toEqual({
      maxHeaderBytes: 16_384,
      maxHeaders: 100,
      maxUrlBytes: 8192,
      maxQueryPairs: 1000,
      maxBodyBytes: 1_048_576,
      compressedBodies: false,
      maxCompressionRatio: 100,
      maxJsonDepth: 64,
      multipart: {
        maxFiles: 16,
        maxFileBytes: 10_485_760,
        maxFields: 100,
        maxFieldBytes: 1_048_576,
        maxParts: 1000,
        maxPartHeaders: 16,
        maxPartHeaderBytes: 8192,
      },
      headTimeoutMs: 10_000,
      requestTimeoutMs: 30_000,
      minUploadRate: 1024,
      uploadTimeoutMs: 600_000,
      keepAliveTimeoutMs: 65_000,
      writeTimeoutMs: 60_000,
      checkIntervalMs: 1000,
      maxConnections: 10_000,
      maxUnanswered: 64,
    });
    expect(toAppLimits(DEFAULT_LIMITS)).toEqual(toAppLimits());
  });
});

describe('a request line and headers', () => {
  it('are 431 over 16 KiB, and over 100 lines', async () => {
    const fill = (bytes: number): string =>
      `X-A: ${'x'.repeat(bytes)}\r\nConnection: close\r\n\r\n`;
    expect(await statuses(GET + fill(16_000))).toEqual([200]);
    expect(await statuses(GET + fill(16_384))).toEqual([431]);
    const lines = (count: number): string => 'X-A: 1\r\n'.repeat(count - 2);
    expect(await statuses(`${GET}Connection: close\r\n${lines(100)}\r\n`)).toEqual([200]);
    expect(await statuses(`${GET}Connection: close\r\n${lines(101)}\r\n`)).toEqual([431]);
  });

  it('are 431 and 414 over other limits', async () => {
    const limits = { maxHeaderBytes: 2000, maxHeaders: 10, maxUrlBytes: 50 };
    const ask = (path: string, more: string): Promise<number[]> =>
      statuses(`GET ${path} HTTP/1.1\r\nHost: a\r\n${more}Connection: close\r\n\r\n`, limits);
    expect(await ask('/', 'X-A: 1\r\n'.repeat(8))).toEqual([200]);
    expect(await ask('/', 'X-A: 1\r\n'.repeat(9))).toEqual([431]);
    expect(await ask('/', `X-A: ${'x'.repeat(1800)}\r\n`)).toEqual([200]);
    expect(await ask('/', `X-A: ${'x'.repeat(2000)}\r\n`)).toEqual([431]);
    expect(await ask(`/?${'x'.repeat(48)}`, '')).toEqual([200]);
    expect(await ask(`/?${'x'.repeat(49)}`, '')).toEqual([414]);
    const many = { maxHeaderBytes: 65_536, maxHeaders: 5000 }; // more than Node takes by itself
    const head = (lines: number): string =>
      `${GET}Connection: close\r\n${'X-A: 1\r\n'.repeat(lines - 2)}\r\n`;
    expect(await statuses(head(5000), many)).toEqual([200]);
    expect(await statuses(head(5001), many)).toEqual([431]);
  });

  it('are not answered with a reset, which could overtake the 431', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send(`${GET}X-A: ${'x'.repeat(500_000)}`);
    expect(statusOf(await client.end())).toBe(431);
    expect(client.failure).toBeUndefined();
  });

  it('are 414 over 8 KiB of URL', async () => {
    const get = (length: number): string =>
      `GET /?${'x'.repeat(length - 2)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    expect(await statuses(get(8192))).toEqual([200]);
    expect(await statuses(get(8193))).toEqual([414]);
  });

  it.each([
    ['missing', 'GET / HTTP/1.1\r\n\r\n'],
    ['there twice', 'GET / HTTP/1.1\r\nHost: a\r\nHOST: a\r\n\r\n'],
    ['empty', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['with a blank in it', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['with a path in it', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['with a user in it', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    ['with a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n'],
  ])('are 400 with a Host that is %s, and the connection ends', async (_, bytes) => {
    const said = await say(bytes);
    expect(statusOf(said)).toBe(400);
    expect(said).toMatch(/content-type: application\/problem\+json/i);
  });

  it.each(['a', 'a.b-c_d:80', '127.0.0.1:3000', '[::1]', '[::1]:80', 'xn--l-0ga.example'])(
    'may have the Host %s',
    async (host) => {
      expect(
        await statuses(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
      ).toEqual([200]);
    },
  );

  it('are 417 when they expect something else than to go on', async () => {
    const said = await say(`${GET}Expect: a miracle\r\nConnection: close\r\n\r\n`);
    expect(statusOf(said)).toBe(417);
    expect(said).toMatch(/content-type: application\/problem\+json/i);
  });

  it('may do without Host in HTTP/1.0', async () => {
    expect(await statuses('GET / HTTP/1.0\r\n\r\n')).toEqual([200]);
  });

  it('may have a target in absolute form, as proxies are sent it', async () => {
    const get = (target: string): string =>
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    expect(await statuses(get('http://a'))).toEqual([200]);
    expect(await statuses(get('http://a?x=1'))).toEqual([200]);
    expect(await statuses(get('https://a/nowhere'))).toEqual([404]);
    expect(await statuses(get('*'))).toEqual([400]);
  });

  it('may ask for the options of the whole server', async () => {
    expect(await statuses('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).toEqual([
      204,
    ]);
  });
});

describe('the version', () => {
  it.each([
    ['HTTP/1.0', 200],
    ['HTTP/1.1', 200],
    ['HTTP/2.0', 505],
    ['HTTP/9.9', 505],
    ['HTTP/0.9', 400],
    ['HTTP/x', 400],
  ])('%s is %i', async (version, status) => {
    const said = await say(`GET / ${version}\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(statusOf(said)).toBe(status);
  });

  it('1.0 is not told to go on with its body', async () => {
    const head = 'Content-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue';
    const said = await say(`POST / HTTP/1.0\r\nHost: a\r\n${head}\r\n\r\n42`);
    expect(said).toMatch(/^HTTP\/1\.1 200 /);
    expect(said).not.toContain(' 100 ');
  });
});

describe('a method', () => {
  it.each(['FOO', 'PROPFIND', 'PURGE'])('is 501 when it is %s', async (method) => {
    const said = await say(`${method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(statusOf(said)).toBe(501);
    expect(said).toMatch(/content-type: application\/problem\+json/i);
  });

  it('is 501 when it is CONNECT', async () => {
    expect(await statuses('CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n')).toEqual([501]);
  });

  it('is 405 with Allow when it is TRACE', async () => {
    const said = await say('TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(statusOf(said)).toBe(405);
    expect(said).toMatch(/allow: GET, HEAD, OPTIONS, POST/i);
    const unknown = await say('TRACE /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    expect(statusOf(unknown)).toBe(405);
    expect(unknown).toContain('"detail":"No method is answered here."');
  });
});

describe('a connection', () => {
  it('gets the good answer, then 400, when garbage follows a request', async () => {
    for (const path of ['/', '/slow']) {
      expect(await statuses(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\ngarbage\r\n\r\n`)).toEqual([
        200, 400,
      ]);
    }
  });

  it('gets the good answer when garbage follows a body that nobody has read yet', async () => {
    const late = app().use(async (_ctx, next) => {
      await new Promise((resolve) => setImmediate(resolve));
      return next();
    });
    await using server = await serve(late);
    await using client = await rawClient(server.port);
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    client.send(`${head}Content-Length: 2\r\n\r\n42garbage\r\n\r\n`);
    const said = (await client.end()).split(/(?=HTTP\/1\.1 \d)/);
    expect(said.map(statusOf)).toEqual([200, 400]);
  });

  it('gets one answer when what comes as its body is garbage, read late or never', async () => {
    const late = app()
      .use(async (_ctx, next) => {
        await new Promise((resolve) => setImmediate(resolve));
        return next();
      })
      .post('/unread', () => 'unread');
    await using server = await serve(late);
    const speak = async (path: string): Promise<number[]> => {
      await using client = await rawClient(server.port);
      client.send(
        `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      );
      const said = await client.end();
      return said.split(/(?=HTTP\/1\.1 \d)/).map(statusOf);
    };
    expect(await speak('/')).toEqual([400]);
    expect(await speak('/unread')).toEqual([200]);
  });

  it('gets 501 after the good answer for a method that nobody knows', async () => {
    expect(await statuses(`${GET}\r\nFOO / HTTP/1.1\r\nHost: a\r\n\r\n`)).toEqual([200, 501]);
  });

  it('gets 501 also when it asks in the moment in which the answer before is out', async () => {
    await using server = await serve(app());
    for (let time = 0; time < 50; time++) {
      await using client = await rawClient(server.port);
      client.socket.once('data', () => client.send('FOO / HTTP/1.1\r\nHost: a\r\n\r\n'));
      client.send(`${GET}\r\n`);
      const answers = (await client.end()).split(/(?=HTTP\/1\.1 \d)/);
      expect(answers.map(statusOf)).toEqual([200, 501]);
    }
  });

  it('gets a problem for garbage alone, and for what is not HTTP', async () => {
    const said = await say('garbage\r\n\r\n');
    expect(statusOf(said)).toBe(400);
    expect(JSON.parse(said.split('\r\n\r\n')[1]!)).toMatchObject({ status: 400 });
    expect(await statuses('\u0016\u0003\u0001\r\n\r\n')).toEqual([400]);
  });

  it.each([
    ['a length and chunks', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a blank before the colon', 'X-A : 1\r\n\r\n'],
  ])('gets 400 for %s', async (_, rest) => {
    expect(await statuses(`POST / HTTP/1.1\r\nHost: a\r\n${rest}`)).toEqual([400]);
  });

  it.each([100, 5000])(
    'gets the answers to %i pipelined requests, in their order',
    async (count) => {
      let handled = 0;
      let underWay = 0;
      let most = 0;
      const ran: number[] = [];
      const numbers = createApp({ ...QUIET, tasks: { maxPending: count } }).get(
        '/:n',
        async ({ ctx }) => {
          most = Math.max(most, ++underWay);
          handled += 1;
          const n = Number(ctx.params['n']);
          ctx.tasks.add(() => void ran.push(n));
          await new Promise(setImmediate);
          underWay -= 1;
          return { n };
        },
      );
      await using server = await serve(numbers);
      await using client = await rawClient(server.port);
      const numbered = Array.from({ length: count }, (_, n) => n);
      client.send(numbered.map((n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
      const answers = await client.answers(count);
      const bodies = answers.map((answer) => answer.split('\r\n\r\n')[1]);
      expect(bodies).toEqual(numbered.map((n) => JSON.stringify({ n })));
      expect({ handled, isBounded: most <= 64 }).toEqual({ handled: count, isBounded: true });
      await numbers.tasks.settled();
      expect(ran.toSorted((x, y) => x - y)).toEqual(numbered);
    },
  );

  it('gets its answers when what waits has a body that is still to come', async () => {
    const echo = createApp({ ...QUIET, limits: { maxUnanswered: 2 } })
      .get('/', () => 'ok')
      .post('/', { in: { text: body.text() } }, ({ text }) => text);
    await using server = await serve(echo);
    await using client = await rawClient(server.port);
    const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n';
    client.send(`${GET}\r\n${GET}\r\n${GET}\r\n${post}abc`);
    await client.answers(3);
    client.send('def', `${GET}\r\n`);
    const answers = await client.answers(5);
    expect(answers.map((answer) => answer.split('\r\n\r\n')[1])).toEqual([
      'ok',
      'ok',
      'ok',
      'abcdef',
      'ok',
    ]);
  });

  it('is read no further as long as its requests wait', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const slow = createApp(QUIET).get('/', () => promise);
    await using server = await serve(slow);
    let isTaken = false;
    const client = await rawClient(server.port);
    client.socket.write(`${GET}\r\n`.repeat(1_000_000), () => (isTaken = true));
    for (let i = 0; i < 20; i++) await server.fetch('/nowhere'); // the server has had its turns
    expect(isTaken).toBe(false); // megabytes of requests are still where they came from
    await client[Symbol.asyncDispose]();
    resolve('done');
  });

  it('may have 64 requests under way', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send(`${GET}\r\n`.repeat(64));
    expect((await client.answers(64)).map(statusOf)).toEqual(Array.from({ length: 64 }, () => 200));
    client.send(`${GET}\r\n`);
    expect(await client.answers(65)).toHaveLength(65);
  });

  it('is cut when it asks on and on without reading, and others are answered meanwhile', async () => {
    let handled = 0;
    const cut = Promise.withResolvers<void>();
    const page = 'x'.repeat(10_000);
    const pages = createApp({ ...QUIET, limits: { writeTimeout: '200ms', checkInterval: '20ms' } })
      .get('/page', ({ ctx }) => {
        handled += 1;
        exchangeOf(ctx).req.socket.once('close', cut.resolve);
        return page;
      })
      .get('/', () => 'home');
    await using server = await serve(pages);
    await using greedy = await rawClient(server.port);
    greedy.socket.pause();
    greedy.send('GET /page HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(20_000));
    for (let i = 0; i < 20; i++) expect(await (await server.fetch('/')).text()).toBe('home');
    await cut.promise;
    expect(handled).toBeLessThan(2000); // 64, and what the buffers of the kernel took
  });

  it('is dropped beyond the most that may be open', async () => {
    await using server = await serve(app({ maxConnections: 1 }));
    await using first = await rawClient(server.port);
    first.send(`${GET}\r\n`);
    await first.answers(1);
    const second = connect(server.port, '127.0.0.1');
    second.on('error', () => undefined);
    await once(second, 'close');
    expect(second.bytesRead).toBe(0);
  });
});

const FAST = { checkInterval: '20ms', headTimeout: '100ms', requestTimeout: '100ms' } as const;

describe('a timeout', () => {
  it('is 408 for headers that do not end', async () => {
    expect(await statuses(GET, FAST)).toEqual([408]);
  });

  it('is 408 for a client that says nothing', async () => {
    expect(await statuses('', FAST)).toEqual([408]);
  });

  it('is 408 for a body that stops', async () => {
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
    const said = await say(`${head}Content-Length: 9\r\n\r\n{`, FAST);
    expect(statusOf(said)).toBe(408);
    expect(said).toMatch(/content-type: application\/problem\+json/i);
  });

  it('lets a body take longer as long as it comes fast enough, and only so long', async () => {
    const upload = async (limits: Limits): Promise<number> => {
      const started = performance.now();
      await using server = await serve(app({ ...FAST, headTimeout: '1h', ...limits }));
      await using client = await rawClient(server.port);
      client.send(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n${' '.repeat(100)}`,
      );
      const feeding = setInterval(() => client.send(' '.repeat(100)), 10);
      try {
        expect(statusOf(await client.end())).toBe(408);
      } finally {
        clearInterval(feeding);
      }
      return performance.now() - started;
    };
    await upload({ minUploadRate: 100_000, uploadTimeout: '1h' });
    expect(await upload({ minUploadRate: 10, uploadTimeout: '400ms' })).toBeGreaterThan(400);
  });

  it('of idle connections is what clients are told', async () => {
    expect(await say(`GET / HTTP/1.1\r\nHost: a\r\n\r\ngarbage\r\n\r\n`)).toMatch(
      /keep-alive: timeout=65/i,
    );
  });

  it('ends a connection that waits for its next request', async () => {
    await using server = await serve(app({ checkInterval: '20ms', keepAliveTimeout: '50ms' }));
    await using client = await rawClient(server.port);
    client.send(`${GET}\r\n`);
    expect(statusOf(await client.end())).toBe(200);
  });

  it('cuts a response that the client does not take, and no handler that is at work', async () => {
    const release = Promise.withResolvers<string>();
    const outcomes: unknown[] = [];
    const big = createApp({ ...QUIET, limits: { writeTimeout: '100ms' } })
      .get('/big', ({ ctx }) => {
        ctx.tasks.add(() => outcomes.push(ctx.outcome));
        return Buffer.alloc(64 * 1024 * 1024);
      })
      .get('/work', () => release.promise);
    await using server = await serve(big);
    await using working = await rawClient(server.port);
    working.send('GET /work HTTP/1.1\r\nHost: a\r\n\r\n');
    await using client = await rawClient(server.port);
    client.socket.pause();
    client.send('GET /big HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => outcomes).toEqual(['aborted']);
    release.resolve('done');
    expect(statusOf((await working.answers(1))[0])).toBe(200);
  });
});

describe('listen({ tls })', () => {
  it('speaks HTTPS', async () => {
    const secure = app();
    const { url } = await secure.listen({
      port: 0,
      host: '127.0.0.1',
      tls: { key: KEY, cert: CERT },
    });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const call = request(url, { ca: CERT, servername: 'localhost', agent: false }).end();
    const [response] = (await once(call, 'response')) as [IncomingMessage];
    expect(await text(response)).toBe('home');
    await secure.close();
  });
});
