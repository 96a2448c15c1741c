import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { createApp } from 'thereafter';
import { compress } from 'thereafter/compress';
import { staticFiles, type StaticOptions } from 'thereafter/static';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

/** A folder `public` with files, beside a file that must never be seen. */
async function site(options?: StaticOptions) {
  const dir = await mkdtemp(join(tmpdir(), 'thereafter-static-'));
  const root = join(dir, 'public');
  await mkdir(join(root, 'docs/empty'), { recursive: true });
  await mkdir(join(root, '.git'));
  await mkdir(join(dir, 'public-not'));
  const files: Record<string, string> = {
    'secret.txt': 'secret',
    'public-not/secret.txt': 'secret',
    'public/.env': 'secret',
    'public/.git/config': 'secret',
    'public/index.html': '<h1>home</h1>',
    'public/docs/index.html': '<h1>docs</h1>',
    'public/digits.txt': '0123456789',
    'public/a b%41.txt': 'odd',
    'public/empty.txt': '',
    'public/long.txt': 'thereafter '.repeat(500),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  await symlink(join(dir, 'secret.txt'), join(root, 'link-out.txt'));
  await symlink(dir, join(root, 'folder-out'));
  await symlink(join(root, 'digits.txt'), join(root, 'link-in.txt'));
  await symlink(join(root, '.env'), join(root, 'link-hidden.txt'));
  const app = createApp({ ...QUIET, docs: false })
    .use(compress())
    .use(staticFiles(root, options))
    .get('/api', () => 'from the route')
    .post('/long.txt', () => 'posted');
  const server = await serve(app);
  return {
    url: server.url,
    root,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true });
    },
  };
}

describe('static files', () => {
  it('are sent with type, length, tag and date', async () => {
    await using server = await site();
    const { status, headers, body } = await get(server, '/digits.txt?v=1');
    expect([status, body.toString()]).toEqual([200, '0123456789']);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'accept-ranges': 'bytes',
      'cache-control': 'no-cache',
      etag: expect.stringMatching(/^W\/"/),
      'last-modified': expect.any(String),
    });
    expect((await get(server, '/empty.txt')).body.length).toBe(0);
    expect((await get(server, '/link-in.txt')).body.toString()).toBe('0123456789');
  });

  it('have their names decoded once', async () => {
    await using server = await site();
    expect((await get(server, '/a%20b%2541.txt')).body.toString()).toBe('odd');
    expect((await get(server, '/a%20b%252541.txt')).status).toBe(404);
  });

  it('answer HEAD without a body', async () => {
    await using server = await site();
    const { status, headers, body } = await get(server, '/digits.txt', {}, 'HEAD');
    expect([status, headers['content-length'], body.length]).toEqual([200, '10', 0]);
  });

  it('go on to the routes where there is no file, or for another method', async () => {
    await using server = await site();
    expect((await get(server, '/api')).body.toString()).toBe('from the route');
    expect((await get(server, '/long.txt', {}, 'POST')).body.toString()).toBe('posted');
    expect((await get(server, '/nothing.txt')).status).toBe(404);
    expect((await get(server, '/digits.txt/')).status).toBe(404);
    expect((await get(server, '/docs/empty/')).status).toBe(404);
    expect((await get(server, '/%zz')).status).toBe(400);
  });

  it('show the index of a folder, below its slash', async () => {
    await using server = await site();
    expect((await get(server, '/')).body.toString()).toBe('<h1>home</h1>');
    expect((await get(server, '/docs/')).body.toString()).toBe('<h1>docs</h1>');
    const { status, headers } = await get(server, '/docs?a=1');
    expect([status, headers['location']]).toEqual([301, '/docs/?a=1']);
    await using bare = await site({ index: false });
    expect((await get(bare, '/docs/')).status).toBe(404);
  });

  it('hang below their prefix only', async () => {
    await using server = await site({ prefix: '/assets/', cacheControl: 'public, max-age=60' });
    const { status, headers } = await get(server, '/assets/digits.txt');
    expect([status, headers['cache-control']]).toEqual([200, 'public, max-age=60']);
    expect((await get(server, '/assets')).headers['location']).toBe('/assets/');
    expect((await get(server, '/assets/')).body.toString()).toBe('<h1>home</h1>');
    expect((await get(server, '/assetsdigits.txt')).status).toBe(404);
    expect((await get(server, '/digits.txt')).status).toBe(404);
  });

  it.each([
    '/.env',
    '/.git/config',
    '/%2eenv',
    '/link-hidden.txt',
    '/link-out.txt',
    '/folder-out/secret.txt',
    '/../secret.txt',
    '/docs/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/%252e%252e/secret.txt',
    '/../public-not/secret.txt',
    '/docs%2findex.html',
    '/docs%5cindex.html',
    '/digits.txt%00.html',
    '//digits.txt',
    '//docs',
    '/./digits.txt',
  ])('do not include %s', async (path) => {
    await using server = await site();
    const { status, headers, body } = await get(server, path);
    expect(status).toBe(404);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(body.toString()).not.toContain('"secret"');
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=5-99', 206, '56789', 'bytes 5-9/10'],
    ['lines=1-2', 200, '0123456789', undefined],
  ])('give the range %s', async (range, status, text, contentRange) => {
    await using server = await site();
    const response = await get(server, '/digits.txt', { range });
    expect([response.status, response.body.toString()]).toEqual([status, text]);
    expect(response.headers['content-range']).toBe(contentRange);
  });

  it('refuse a range beyond the end with 416', async () => {
    await using server = await site();
    const { status, headers } = await get(server, '/digits.txt', { range: 'bytes=10-' });
    expect([status, headers['content-range']]).toEqual([416, 'bytes */10']);
    expect(headers['content-type']).toBe('application/problem+json');
  });

  it('give the whole file when the range is of another version', async () => {
    await using server = await site();
    const { etag = '', 'last-modified': date = '' } = (await get(server, '/digits.txt')).headers;
    const range = { range: 'bytes=0-1' };
    const same = await get(server, '/digits.txt', { ...range, 'if-range': date });
    expect([same.status, same.body.toString()]).toEqual([206, '01']);
    for (const ifRange of ['"other"', etag]) {
      const other = await get(server, '/digits.txt', { ...range, 'if-range': ifRange });
      expect([other.status, other.body.toString()]).toEqual([200, '0123456789']);
    }
  });

  it('answer conditional requests with 304 and 412', async () => {
    await using server = await site();
    const { etag = '', 'last-modified': date = '' } = (await get(server, '/digits.txt')).headers;
    const same = await get(server, '/digits.txt', { 'if-none-match': etag });
    expect([same.status, same.headers['etag'], same.body.length]).toEqual([304, etag, 0]);
    expect((await get(server, '/digits.txt', { 'if-modified-since': date })).status).toBe(304);
    // Also to who asks no cache between: what it has itself is not one.
    const reloaded = { 'if-none-match': etag, 'cache-control': 'no-cache' };
    expect((await get(server, '/digits.txt', reloaded)).status).toBe(304);
    const past = 'Thu, 01 Jan 1970 00:00:00 GMT';
    const byTag = { 'if-none-match': '"other"', 'if-modified-since': date };
    expect((await get(server, '/digits.txt', byTag)).status).toBe(200);
    const byStar = { 'if-match': '*', 'if-unmodified-since': past };
    expect((await get(server, '/digits.txt', byStar)).status).toBe(200);
    expect((await get(server, '/digits.txt', { 'if-unmodified-since': past })).status).toBe(412);
    expect((await get(server, '/digits.txt', { 'if-match': '"other"' })).status).toBe(412);
  });

  it('are compressed where that is used, but not their parts', async () => {
    await using server = await site();
    const coded = { 'accept-encoding': 'br' };
    const whole = await get(server, '/long.txt', coded);
    expect(whole.headers['content-encoding']).toBe('br');
    expect(whole.headers['content-length']).toBeUndefined();
    expect(whole.body.length).toBeLessThan(1000);
    const part = await get(server, '/long.txt', { ...coded, range: 'bytes=0-9' });
    expect(part.body.toString()).toBe('thereafter');
  });

  it('are sent as they were compressed beforehand, to who takes it', async () => {
    await using server = await site({ precompressed: true });
    const text = 'thereafter '.repeat(500);
    const path = join(server.root, 'long.txt');
    await writeFile(`${path}.br`, brotliCompressSync(text));
    await writeFile(`${path}.gz`, gzipSync(text));
    await writeFile(`${path}.zst`, zstdCompressSync(text));
    const asked: [string, string | undefined, (bytes: Buffer) => Buffer][] = [
      ['br, gzip', 'br', brotliDecompressSync],
      ['gzip, br;q=0.5', 'gzip', gunzipSync],
      ['zstd', 'zstd', zstdDecompressSync],
      ['br;q=0, identity', undefined, (bytes) => bytes],
    ];
    const tags = new Set<unknown>();
    for (const [accepted, encoding, decode] of asked) {
      const headers = { 'accept-encoding': accepted };
      const whole = await get(server, '/long.txt', headers);
      expect(whole.headers).toMatchObject({
        'content-type': 'text/plain; charset=utf-8',
        'cache-control': 'no-cache',
        vary: 'Accept-Encoding',
      });
      expect(whole.headers['content-encoding']).toBe(encoding);
      expect(decode(whole.body).toString()).toBe(text);
      const tag = whole.headers['etag']!;
      tags.add(tag);
      const again = await get(server, '/long.txt', { ...headers, 'if-none-match': tag });
      expect([again.status, again.headers['etag']]).toEqual([304, tag]);
      expect(again.headers['vary']).toBe('Accept-Encoding');
      const part = await get(server, '/long.txt', { ...headers, range: 'bytes=2-5' });
      expect([part.status, part.body]).toEqual([206, whole.body.subarray(2, 6)]);
    }
    expect(tags.size).toBe(4);
  });

  it('are never the compressed file that lies outside, or beside no original', async () => {
    await using server = await site({ precompressed: true });
    await symlink(join(server.root, '../secret.txt'), join(server.root, 'digits.txt.br'));
    await writeFile(join(server.root, 'lonely.js.br'), brotliCompressSync('1'));
    const headers = { 'accept-encoding': 'br' };
    expect((await get(server, '/digits.txt', headers)).body.toString()).toBe('0123456789');
    expect((await get(server, '/lonely.js', headers)).status).toBe(404);
  });

  it('have the compressed files beside them ignored unless that is asked for', async () => {
    await using server = await site();
    await writeFile(join(server.root, 'digits.txt.br'), brotliCompressSync('other'));
    const { headers, body } = await get(server, '/digits.txt', { 'accept-encoding': 'br' });
    expect([headers['content-encoding'], body.toString()]).toEqual([undefined, '0123456789']);
  });

  it('cut the connection when a file becomes shorter meanwhile', async () => {
    await using server = await site();
    await writeFile(join(server.root, 'shrinking.bin'), Buffer.alloc(8 * 1024 * 1024));
    const { body } = await request(`${server.url}/shrinking.bin`);
    await truncate(join(server.root, 'shrinking.bin'), 10);
    await expect(body.arrayBuffer()).rejects.toThrow('other side closed');
  });

  it('need a folder that is there', () => {
    expect(() => staticFiles('/nowhere/at/all')).toThrow(/ENOENT/);
  });
});
