import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { createApp } from 'thereafter';
import { cors } from 'thereafter/cors';
import { packagedFile } from 'thereafter/packaged-file';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const SCRIPT = 'console.log("thereafter");\n'.repeat(100);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-packaged-'));
  await mkdir(join(folder, 'page/inner.js'), { recursive: true });
  const files = {
    'secret.js': 'secret',
    'page/main.js': SCRIPT,
    'page/small.svg': '<svg/>',
    'page/.hidden.js': 'secret',
    'page/notes.txt': 'no file of a page',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
afterAll(() => rm(folder, { recursive: true }));

/** What negotiation gives is tested with everything else that negotiates, in the console's package. */
function app(page = 'page') {
  const url = pathToFileURL(join(folder, page, '/'));
  return createApp({ ...QUIET, docs: false })
    .use(cors({ origin: ['https://other.example'] }))
    .get('/:file', ({ ctx }) => packagedFile(ctx, url, ctx.params.file!, 'public, max-age=60'));
}

describe('a packaged file', () => {
  it('is sent with its type, a weak tag and what was said of caches', async () => {
    await using server = await serve(app());
    const { status, headers, body } = await get(server, '/main.js');
    expect([status, body.toString()]).toEqual([200, SCRIPT]);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=60',
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^W\/"[\w-]{22}"$/),
      vary: 'Origin, Accept-Encoding',
    });
  });

  it('is not compressed when that would not pay', async () => {
    await using server = await serve(app());
    const { headers, body } = await get(server, '/small.svg', { 'accept-encoding': 'br' });
    expect(headers).toMatchObject({ 'content-type': 'image/svg+xml', vary: expect.anything() });
    expect([headers['content-encoding'], body.toString()]).toEqual([undefined, '<svg/>']);
  });

  it('answers HEAD as GET', async () => {
    await using server = await serve(app());
    const coded = { 'accept-encoding': 'br' };
    const full = await get(server, '/main.js', coded);
    const head = await get(server, '/main.js', coded, 'HEAD');
    for (const name of ['etag', 'content-encoding', 'content-length']) {
      expect([name, head.headers[name]]).toEqual([name, full.headers[name]]);
    }
    expect(head.body).toHaveLength(0);
  });

  it('is read again when it was written again', async () => {
    await using server = await serve(app());
    const coded = { 'accept-encoding': 'gzip' };
    await writeFile(join(folder, 'page/changing.css'), 'a {}\n'.repeat(500));
    const first = await get(server, '/changing.css', coded);
    await writeFile(join(folder, 'page/changing.css'), 'b {}\n'.repeat(500));
    await utimes(join(folder, 'page/changing.css'), 1, 1); // whatever the resolution of its clock
    const second = await get(server, '/changing.css', {
      ...coded,
      'if-none-match': first.headers.etag!,
    });
    expect(second.status).toBe(200);
    expect(gunzipSync(second.body).toString()).toBe(
      await readFile(join(folder, 'page/changing.css'), 'utf8'),
    );
  });

  it.each([
    '/nothing.js',
    '/constructor',
    '/inner.js',
    '/notes.txt',
    '/.hidden.js',
    '/..%2fsecret.js',
    '/..%5csecret.js',
    '/%2e%2e%2fsecret.js',
    '/file:%2f%2f%2fetc%2fpasswd.js',
    '/main.js%00.svg',
    '/main.js%3fx.js',
  ])('is not %s', async (path) => {
    await using server = await serve(app());
    const { status, body } = await get(server, path);
    expect(status).toBe(404);
    expect(body.toString()).toContain('The page has no file');
  });

  it('is missing with its folder, which the answer names', async () => {
    await using server = await serve(app('elsewhere'));
    const { status, body } = await get(server, '/main.js');
    expect(status).toBe(404);
    expect(JSON.parse(body.toString())).toMatchObject({
      detail: expect.stringContaining('Deploy the folder elsewhere beside the bundle'),
    });
  });
});
