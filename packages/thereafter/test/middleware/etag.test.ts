import { Readable } from 'node:stream';
import { createApp, HttpReply } from 'thereafter';
import { compress } from 'thereafter/compress';
import { etag } from 'thereafter/etag';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const LONG = 'thereafter '.repeat(500);

function app(options?: Parameters<typeof etag>[0]) {
  let version = 1;
  return createApp(QUIET)
    .use(compress())
    .use(etag(options))
    .get('/', () => LONG)
    .post('/', () => LONG)
    .get('/small', () => 'small')
    .get('/next', () => `version ${version++}`)
    .get('/own', () => new HttpReply(Readable.from(['own']), { headers: { etag: '"own"' } }))
    .get('/stream', () => Readable.from(['stream']))
    .get('/made', () => new HttpReply('made', { status: 201 }));
}

describe('etag', () => {
  it('tags the same body the same, and another one otherwise', async () => {
    await using server = await serve(app());
    const first = await get(server, '/');
    expect(first.headers['etag']).toMatch(/^"[\w-]+"$/);
    expect((await get(server, '/')).headers['etag']).toBe(first.headers['etag']);
    const next = await get(server, '/next');
    expect((await get(server, '/next')).headers['etag']).not.toBe(next.headers['etag']);
  });

  it('answers 304 without a body to who has it already', async () => {
    await using server = await serve(app());
    const { etag: tag = '' } = (await get(server, '/')).headers;
    for (const known of [tag, `"other", W/${tag}`, '*']) {
      const { status, headers, body } = await get(server, '/', { 'if-none-match': known });
      expect([status, body.length]).toEqual([304, 0]);
      expect(headers['etag']).toBe(tag);
      expect(headers['content-type']).toBeUndefined();
      expect(headers['content-length']).toBeUndefined();
    }
    expect((await get(server, '/', { 'if-none-match': '"other"' })).status).toBe(200);
  });

  it('answers HEAD as GET', async () => {
    await using server = await serve(app());
    const { headers } = await get(server, '/', {}, 'HEAD');
    const again = await get(server, '/', { 'if-none-match': headers['etag']! }, 'HEAD');
    expect(again.status).toBe(304);
  });

  it('answers 412 when the wanted version is gone', async () => {
    await using server = await serve(app());
    const { etag: tag = '' } = (await get(server, '/')).headers;
    expect((await get(server, '/', { 'if-match': tag })).status).toBe(200);
    expect((await get(server, '/', { 'if-match': '*' })).status).toBe(200);
    const gone = await get(server, '/', { 'if-match': '"other"' });
    expect(gone.status).toBe(412);
    expect(gone.headers['content-type']).toBe('application/problem+json');
    // A weak tag says nothing of bytes.
    expect((await get(server, '/', { 'if-match': `W/${tag}` })).status).toBe(412);
  });

  it('tags weakly when told so, and then no version can be asked for', async () => {
    await using server = await serve(app({ weak: true }));
    const { etag: tag = '' } = (await get(server, '/')).headers;
    expect(tag).toMatch(/^W\/"/);
    expect((await get(server, '/', { 'if-none-match': tag })).status).toBe(304);
    expect((await get(server, '/', { 'if-match': tag })).status).toBe(412);
  });

  it('keeps the tag of the handler, which serves a stream too', async () => {
    await using server = await serve(app());
    const fresh = await get(server, '/own');
    expect([fresh.headers['etag'], fresh.body.toString()]).toEqual(['"own"', 'own']);
    const { status, body } = await get(server, '/own', { 'if-none-match': '"own"' });
    expect([status, body.length]).toEqual([304, 0]);
  });

  it('leaves streams, other methods and other statuses alone', async () => {
    await using server = await serve(app());
    for (const [path, method] of [
      ['/stream', 'GET'],
      ['/', 'POST'],
      ['/made', 'GET'],
      ['/nowhere', 'GET'],
    ] as const) {
      const { status, headers } = await get(server, path, { 'if-none-match': '*' }, method);
      expect(status).not.toBe(304);
      expect(headers['etag']).toBeUndefined();
    }
  });

  it('goes with compression: the coded answer is known by its weak tag', async () => {
    await using server = await serve(app());
    const coded = { 'accept-encoding': 'br' };
    const { headers } = await get(server, '/', coded);
    expect(headers['etag']).toMatch(/^W\/"/);
    const again = await get(server, '/', { ...coded, 'if-none-match': headers['etag']! });
    expect(again.status).toBe(304);
    expect(again.headers['vary']).toBe('Accept-Encoding');
  });

  const known: [string, (tag: string) => string][] = [
    ['its tag', (tag) => tag],
    ['the strong tag', (tag) => tag.replace('W/', '')],
    ['the weak tag', (tag) => `W/${tag.replace('W/', '')}`],
    ['a list with it', (tag) => `"other", ${tag}`],
    ['a star', () => '*'],
  ];
  it.each(known)('gives with a 304 what it gave with the 200, to who knows %s', async (_, know) => {
    await using server = await serve(
      app()
        .get('/html', () => new HttpReply(LONG, { headers: { 'content-type': 'text/html' } }))
        .get('/picture', () => new HttpReply(LONG, { headers: { 'content-type': 'image/png' } })),
    );
    for (const path of ['/', '/html', '/picture', '/own', '/small']) {
      for (const coded of [{ 'accept-encoding': 'gzip' }, { 'accept-encoding': 'identity' }]) {
        for (const method of ['GET', 'HEAD']) {
          const first = await get(server, path, coded, method);
          const headers = { ...coded, 'if-none-match': know(first.headers['etag']!) };
          const again = await get(server, path, headers, method);
          expect(again.status).toBe(304);
          expect(again.headers['etag']).toBe(first.headers['etag']);
          expect(again.headers).not.toHaveProperty('content-type');
          expect(again.headers).not.toHaveProperty('content-length');
          expect(again.headers).not.toHaveProperty('content-encoding');
        }
      }
    }
  });
});
