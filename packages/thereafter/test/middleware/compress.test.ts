import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import {
  brotliDecompressSync,
  createBrotliDecompress,
  createGunzip,
  createZstdDecompress,
  gunzipSync,
  zstdDecompressSync,
} from 'node:zlib';
import { createApp, HttpReply } from 'thereafter';
import { compress } from 'thereafter/compress';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const LONG = 'thereafter '.repeat(500);

function app(options?: Parameters<typeof compress>[0]) {
  return createApp(QUIET)
    .use(compress(options))
    .get(
      '/text',
      () => new HttpReply(LONG, { headers: { etag: '"v1"', 'accept-ranges': 'bytes' } }),
    )
    .get('/weak', () => new HttpReply(LONG, { headers: { etag: 'W/"v1"' } }))
    .get('/json', () => ({ text: LONG }))
    .get('/short', () => 'short')
    .get('/bytes', () => Buffer.from(LONG))
    .get('/coded', () => new HttpReply(LONG, { headers: { 'content-encoding': 'gzip' } }))
    .get('/secret', () => new HttpReply(LONG, { headers: { 'cache-control': 'no-transform' } }))
    .get('/not-modified', () => new HttpReply(undefined, { status: 304 }))
    .get('/events', () => {
      const headers = { 'content-type': 'text/event-stream' };
      return new HttpReply(Readable.from([`data: ${LONG}\n\n`]), { headers });
    })
    .get('/part', () => {
      const headers = { 'content-range': 'bytes 0-9/10', 'content-type': 'text/plain' };
      return new HttpReply(LONG, { status: 206, headers });
    });
}

describe('compress', () => {
  it.each([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
    ['zstd', zstdDecompressSync],
  ])('codes with %s', async (encoding, decode) => {
    await using server = await serve(app());
    const { headers, body } = await get(server, '/text', { 'accept-encoding': encoding });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['vary']).toBe('Accept-Encoding');
    expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(Number(headers['content-length'])).toBe(body.length);
    expect(body.length).toBeLessThan(LONG.length / 4);
    expect(decode(body).toString()).toBe(LONG);
  });

  it.each([
    ['gzip, br', 'br'],
    ['gzip, br;q=0.5', 'gzip'],
    ['br;q=0, *', 'zstd'],
    ['*', 'br'],
    ['GZIP', 'gzip'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip;q=0.5, identity', undefined],
    ['gzip;q=0', undefined],
    ['deflate', undefined],
    ['', undefined],
  ])('understands accept-encoding: %s', async (accepted, encoding) => {
    await using server = await serve(app());
    const { headers, body } = await get(server, '/text', { 'accept-encoding': accepted });
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['vary']).toBe('Accept-Encoding');
    expect(body.toString() === LONG).toBe(encoding === undefined);
  });

  it('sends as it is to who does not ask', async () => {
    await using server = await serve(app());
    const { headers, body } = await get(server, '/text');
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['etag']).toBe('"v1"');
    expect(body.toString()).toBe(LONG);
  });

  it('uses the encodings of its list only, the first of them first', async () => {
    await using server = await serve(app({ encodings: ['gzip', 'br'], minBytes: 1 }));
    const any = await get(server, '/short', { 'accept-encoding': 'br, zstd, gzip' });
    expect(any.headers['content-encoding']).toBe('gzip');
    const zstd = await get(server, '/short', { 'accept-encoding': 'zstd' });
    expect(zstd.headers['content-encoding']).toBeUndefined();
  });

  it.each(['/short', '/bytes', '/secret', '/events', '/part', '/coded'])(
    'leaves %s alone',
    async (path) => {
      await using server = await serve(app());
      const { headers, body } = await get(server, path, { 'accept-encoding': 'br' });
      expect(headers['content-encoding']).not.toBe('br');
      expect(body.toString()).toContain(path === '/short' ? 'short' : LONG);
    },
  );

  it('makes a strong etag weak, and takes back the offer of ranges', async () => {
    await using server = await serve(app());
    const { headers } = await get(server, '/text', { 'accept-encoding': 'br' });
    expect(headers['etag']).toBe('W/"v1"');
    expect(headers['accept-ranges']).toBeUndefined();
    const weak = await get(server, '/weak', { 'accept-encoding': 'br' });
    expect(weak.headers['etag']).toBe('W/"v1"');
  });

  it('says on a 304 what the 200 varies by', async () => {
    await using server = await serve(app());
    const { headers } = await get(server, '/not-modified', { 'accept-encoding': 'br' });
    expect(headers['vary']).toBe('Accept-Encoding');
    expect(headers['content-encoding']).toBeUndefined();
  });

  it('leaves the tag of a 304 without a body as the client knows it', async () => {
    const tagged = app().get(
      '/tagged',
      () => new HttpReply(undefined, { status: 304, headers: { etag: '"v1"' } }),
    );
    await using server = await serve(tagged);
    for (const tag of ['"v1"', 'W/"v1"']) {
      const headers = { 'accept-encoding': 'br', 'if-none-match': tag };
      expect((await get(server, '/tagged', headers)).headers['etag']).toBe(tag);
    }
  });

  it('gives to HEAD the headers of GET', async () => {
    await using server = await serve(app());
    const head = await get(server, '/json', { 'accept-encoding': 'br' }, 'HEAD');
    const full = await get(server, '/json', { 'accept-encoding': 'br' });
    expect(head.headers['content-encoding']).toBe('br');
    expect(head.headers['content-length']).toBe(full.headers['content-length']);
    expect(head.body.length).toBe(0);
  });

  it.each([
    ['gzip', createGunzip()],
    ['br', createBrotliDecompress()],
    ['zstd', createZstdDecompress()],
  ] as const)('passes on at once what a stream writes, with %s', async (encoding, decoder) => {
    const source = new Readable({ read() {} });
    const streaming = createApp(QUIET)
      .use(compress())
      .get('/', () => new HttpReply(source, { headers: { 'content-type': 'text/plain' } }));
    await using server = await serve(streaming);
    const req = request(server.url, { headers: { 'accept-encoding': encoding } }).end();
    source.push('first');
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.pipe(decoder);
    expect(String(await once(decoder, 'data'))).toBe('first'); // while the source is still open
    source.push(null);
    await once(decoder.resume(), 'end');
  });

  it('breaks the answer when the body of a stream breaks', async () => {
    const broken = createApp(QUIET)
      .use(compress())
      .get('/', async function* () {
        yield { text: LONG };
        throw new Error('half-way');
      });
    await using server = await serve(broken);
    await expect(get(server, '/', { 'accept-encoding': 'gzip' })).rejects.toThrow(
      /hang up|aborted/,
    );
  });

  it('ends the source when the client leaves', async () => {
    const source = new Readable({ read() {} });
    const streaming = createApp(QUIET)
      .use(compress())
      .get('/', () => new HttpReply(source, { headers: { 'content-type': 'text/plain' } }));
    await using server = await serve(streaming);
    const req = request(server.url, { headers: { 'accept-encoding': 'gzip' } }).end();
    source.push(LONG);
    await once(req, 'response');
    const closed = once(source, 'close').catch(() => undefined);
    req.on('error', () => undefined).destroy();
    await closed;
    expect(source.destroyed).toBe(true);
  });
});
