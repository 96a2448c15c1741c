import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { createApp, type App } from 'thereafter';
import { compress } from 'thereafter/compress';
import { proxy, type ProxyOptions } from 'thereafter/proxy';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { get, rawClient } from '../support/raw.ts';
import { QUIET, serve, type Served } from '../support/serve.ts';

interface Behind extends AsyncDisposable {
  readonly server: Served;
  readonly errors: ReturnType<typeof loggedErrors>;
}

/** An app that passes everything on to a server, and both of them until the end of the block. */
async function behind(
  listener: RequestListener,
  options: ProxyOptions = {},
  { base = '', set }: { base?: string; set?: (app: App) => App } = {},
): Promise<Behind> {
  const upstream = createServer({ requestTimeout: 0 }, listener).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}${base}`;
  const dispatcher = new Agent();
  const app = createApp({ ...QUIET, limits: { maxBodyBytes: 1000 } });
  const pass = ({ ctx }: { ctx: Parameters<typeof proxy>[0] }) =>
    proxy(ctx, url, { dispatcher, ...options });
  (set?.(app) ?? app).get('/*', pass).post('/*', pass).delete('/*', pass);
  const errors = loggedErrors(app);
  const server = await serve(app);
  return {
    server,
    errors,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await dispatcher.destroy();
      upstream.close();
      upstream.closeAllConnections();
      await once(upstream, 'close');
    },
  };
}

/** Answers with what came. */
const mirror: RequestListener = (req, res) => {
  void text(req).then((body) => {
    const { method, url, headers } = req;
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ method, url, headers, body }));
  });
};

interface Mirrored {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const asked = async (answer: { json(): Promise<unknown> }): Promise<Mirrored> =>
  (await answer.json()) as Mirrored; // what the mirror sends

describe('proxy()', () => {
  it('keeps method, path, query and body as they came', async () => {
    await using to = await behind(mirror);
    const { body } = await get(to.server, '/a%2Fb/%C3%BC//c;x=1?q=%20+&q=2&');
    expect(JSON.parse(body.toString())).toMatchObject({
      method: 'GET',
      url: '/a%2Fb/%C3%BC//c;x=1?q=%20+&q=2&',
      body: '',
    });
    const posted = await to.server.fetch('/x', {
      method: 'POST',
      body: gzipSync('x'),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(await asked(posted)).toMatchObject({
      method: 'POST',
      headers: { 'content-encoding': 'gzip', 'content-length': String(gzipSync('x').length) },
    });
    const deleted = await to.server.fetch('/x', { method: 'DELETE' });
    expect(await asked(deleted)).toMatchObject({ method: 'DELETE', body: '' });
  });

  it('puts the path of the upstream first, and lets no request climb out of it', async () => {
    await using to = await behind(mirror, {}, { base: '/v1/' });
    expect(await asked(await to.server.fetch('/a/b?c=1'))).toMatchObject({ url: '/v1/a/b?c=1' });
    for (const path of ['/../admin', '/a/%2e%2E/b', '/./a', '/a/..?x', '/a\\..\\b']) {
      expect((await get(to.server, path)).status).toBe(400);
    }
    expect((await get(to.server, '/a..b/...?x=/../')).status).toBe(200);
  });

  it('asks for another path, with other headers, when told so', async () => {
    const headers = { authorization: 'Bearer ours', cookie: undefined };
    await using to = await behind(mirror, { path: '/other?x=1', headers });
    const sent = { authorization: 'Bearer theirs', cookie: 'a=1', accept: 'text/plain' };
    const seen = await asked(await to.server.fetch('/', { headers: sent }));
    expect(seen).toMatchObject({
      url: '/other?x=1',
      headers: { authorization: 'Bearer ours', accept: 'text/plain' },
    });
    expect(seen.headers).not.toHaveProperty('cookie');
  });

  const hopByHop = {
    connection: 'close, X-Hop, content-type;',
    'keep-alive': 'timeout=1',
    'proxy-authorization': 'Basic eA==',
    'proxy-authenticate': 'Basic',
    'proxy-connection': 'close',
    te: 'trailers',
    upgrade: 'h2c',
    'x-hop': '1',
  };

  it('leaves out of the request what concerns one connection only', async () => {
    await using to = await behind(mirror);
    const { body } = await get(to.server, '/', { ...hopByHop, 'x-end-to-end': 'yes' });
    const { headers } = JSON.parse(body.toString()) as Mirrored;
    expect(headers).toMatchObject({ 'x-end-to-end': 'yes' });
    for (const name of Object.keys(hopByHop)) {
      expect([name, headers[name]]).toEqual([
        name,
        name === 'connection' ? 'keep-alive' : undefined,
      ]);
    }
  });

  it('leaves out of the answer what concerns one connection only', async () => {
    await using to = await behind((_, res) => {
      res.writeHead(207, {
        ...hopByHop,
        'x-end-to-end': 'yes',
        'set-cookie': ['a=1', 'b=2'],
        'x-note': Buffer.from('ü').toString('latin1'),
      });
      res.end('body');
    });
    const { status, headers, body } = await get(to.server, '/');
    expect([status, body.toString()]).toEqual([207, 'body']);
    expect(headers).toMatchObject({ 'x-end-to-end': 'yes', 'set-cookie': ['a=1', 'b=2'] });
    expect(Buffer.from(String(headers['x-note']), 'latin1').toString()).toBe('ü');
    for (const name of ['x-hop', 'proxy-authenticate', 'upgrade', 'proxy-connection']) {
      expect([name, headers[name]]).toEqual([name, undefined]);
    }
  });

  it('adds to what proxies before it have said of the client', async () => {
    await using to = await behind(mirror, { forwarded: true });
    const first = await asked(await to.server.fetch('/'));
    const { port } = to.server;
    expect(first.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': `127.0.0.1:${port}`,
      'x-forwarded-proto': 'http',
      forwarded: `for=127.0.0.1;host="127.0.0.1:${port}";proto=http`,
    });
    const said = {
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-proto': 'https',
      forwarded: 'for=192.0.2.1',
    };
    const second = await asked(await to.server.fetch('/', { headers: said }));
    expect(second.headers).toMatchObject({
      'x-forwarded-for': '192.0.2.1, 127.0.0.1',
      'x-forwarded-host': `shop.example, 127.0.0.1:${port}`,
      'x-forwarded-proto': 'https, http',
      forwarded: `for=192.0.2.1, ${first.headers['forwarded']}`,
    });
    await using plain = await behind(mirror);
    expect((await asked(await plain.server.fetch('/'))).headers).not.toHaveProperty('forwarded');
  });

  it('decodes nothing', async () => {
    const coded = gzipSync('plain '.repeat(500));
    const set = (app: App): App => app.use(compress());
    await using to = await behind(
      (_, res) => {
        const headers = { 'content-encoding': 'gzip', etag: '"1"', 'content-type': 'text/plain' };
        res.writeHead(200, { ...headers, 'content-length': coded.length }).end(coded);
      },
      {},
      { set },
    );
    const { headers, body } = await get(to.server, '/', { 'accept-encoding': 'br, gzip' });
    expect(body).toEqual(coded);
    expect(headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-length': String(coded.length),
      etag: '"1"',
    });
  });

  it.each([204, 304])('answers %i without a body', async (status) => {
    await using to = await behind((_, res) => void res.writeHead(status, { etag: '"1"' }).end());
    const answer = await get(to.server, '/');
    expect([answer.status, answer.headers['etag'], answer.body.length]).toEqual([status, '"1"', 0]);
  });

  it('answers HEAD with the headers of the upstream, and leaves redirects to the client', async () => {
    await using to = await behind((req, res) => {
      if (req.method === 'HEAD') res.writeHead(200, { 'content-length': 12_345 }).end();
      else res.writeHead(302, { location: '/elsewhere' }).end();
    });
    const head = await get(to.server, '/', {}, 'HEAD');
    expect(head.headers['content-length']).toBe('12345');
    const moved = await get(to.server, '/');
    expect([moved.status, moved.headers['location']]).toEqual([302, '/elsewhere']);
  });

  it('passes on each piece of both bodies as it comes', async () => {
    await using to = await behind((req, res) => void req.pipe(res));
    const req = request(`${to.server.url}/`, { method: 'POST', agent: false });
    req.write('one');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(String(await once(res, 'data'))).toBe('one');
    req.write('two');
    expect(String(await once(res, 'data'))).toBe('two');
    req.end();
    res.resume();
    await once(res, 'end');
  });

  it('refuses a body beyond the limit, told or not, and takes more where it may', async () => {
    await using to = await behind(mirror);
    const large = 'x'.repeat(1001);
    expect((await to.server.fetch('/', { method: 'POST', body: large })).status).toBe(413);
    const stream = new Blob([large]).stream();
    const untold = await to.server.fetch('/', { method: 'POST', body: stream, duplex: 'half' });
    expect(untold.status).toBe(413);
    expect(to.errors).toEqual([]);
    await using other = await behind(mirror, { maxBodyBytes: 2000 });
    const taken = await asked(await other.server.fetch('/', { method: 'POST', body: large }));
    expect(taken.body).toBe(large);
  });

  it('says to a client that waits to be asked that it may go on', async () => {
    await using to = await behind(mirror);
    await using client = await rawClient(to.server.port);
    client.send(
      'POST / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n',
    );
    await once(client.socket, 'data');
    expect(client.received).toContain('100 Continue');
    client.send('ab');
    expect(await client.end()).toContain('"body":"ab"');
  });
});

describe('proxy() with an upstream that fails', () => {
  it('is a 502 problem that hides where it is', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await once(closed, 'close');
    const app = createApp(QUIET).get('/', ({ ctx }) => proxy(ctx, `http://127.0.0.1:${port}`));
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(502);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.text()).not.toContain(String(port));
    expect(errors).toMatchObject([{ err: { cause: { code: 'ECONNREFUSED' } } }]);
  });

  it('is a 502 when it hangs up, or answers with what is no HTTP', async () => {
    for (const answer of ['', 'what?\r\n\r\n']) {
      await using to = await behind((req) => void req.socket.end(answer));
      expect((await to.server.fetch('/')).status).toBe(502);
    }
  });

  it('is a 504 when its answer does not begin in time', async () => {
    await using to = await behind(() => undefined, { timeout: '50ms' });
    expect((await to.server.fetch('/')).status).toBe(504);
    expect(to.errors).toMatchObject([{ err: { cause: { code: 'UND_ERR_HEADERS_TIMEOUT' } } }]);
  });

  it.each([
    [
      'breaks off',
      (res: { socket: unknown }) => void (res.socket as { destroy(): void }).destroy(),
    ],
    ['stops', () => undefined],
  ])('cuts the client when it %s half-way', async (_, fail) => {
    const client = Promise.withResolvers<void>();
    await using to = await behind(
      (_req, res) => {
        res.writeHead(200, { 'content-length': 100 }).write('half');
        void client.promise.then(() => fail(res as never));
      },
      { timeout: '200ms' },
    );
    const response = await to.server.fetch('/');
    client.resolve();
    await expect(response.text()).rejects.toThrow('terminated');
    expect(to.errors).toHaveLength(1);
  });

  it('is a mistake of the program where its URL is none', async () => {
    const app = createApp(QUIET).get('/', ({ ctx }) => proxy(ctx, 'nowhere'));
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
  });
});

describe('proxy() with a client that leaves', () => {
  it.each(['before the answer', 'half-way'])('lets the upstream go %s', async (when) => {
    const arrived = Promise.withResolvers<IncomingMessage>();
    const gone = Promise.withResolvers<void>();
    await using to = await behind((req, res) => {
      res.on('close', gone.resolve);
      if (when === 'half-way') res.write('half');
      arrived.resolve(req);
    });
    const socket = connect(to.server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await (when === 'half-way' ? once(socket, 'data') : arrived.promise);
    socket.destroy();
    await gone.promise;
    expect(to.errors).toEqual([]);
  });

  it('lets the upstream go while the body of the request is still sent', async () => {
    const gone = Promise.withResolvers<void>();
    const socket = { current: undefined as ReturnType<typeof connect> | undefined };
    await using to = await behind((req) => {
      req.once('data', () => socket.current?.destroy());
      req.on('error', () => undefined).on('close', gone.resolve);
    });
    socket.current = connect(to.server.port, '127.0.0.1');
    socket.current.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
    await gone.promise;
    expect(to.errors).toEqual([]);
  });

  it('answers on the same connection when the upstream did not want the whole body', async () => {
    await using to = await behind((req, res) => {
      res.writeHead(403, { connection: 'close' }).end('no');
      req.resume();
    });
    const response = await to.server.fetch('/', { method: 'POST', body: 'x'.repeat(900) });
    expect([response.status, await response.text()]).toEqual([403, 'no']);
    expect(await buffer((await to.server.fetch('/')).body!)).toEqual(Buffer.from('no'));
  });
});
