import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createApp, sendFile, type SendFileOptions } from 'thereafter';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { QUIET, serve, type Served } from '../support/serve.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-'));
  await writeFile(join(folder, 'report 100%.txt'), '0123456789');
  await writeFile(join(folder, '.hidden.json'), '{}');
  await writeFile(join(folder, 'empty.bin'), '');
});
afterAll(() => rm(folder, { recursive: true }));

const serveFile = (name = 'report 100%.txt', options?: SendFileOptions): Promise<Served> =>
  serve(createApp(QUIET).get('/', () => sendFile(join(folder, name), options)));

describe('sendFile()', () => {
  it('sends a file with type, length, ETag and Last-Modified', async () => {
    await using server = await serveFile();
    const response = await server.fetch('/');
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': '10',
      'accept-ranges': 'bytes',
      etag: expect.stringMatching(/^W\/"/),
      'last-modified': expect.any(String),
    });
    expect(response.headers.has('content-disposition')).toBe(false);
    expect(await response.text()).toBe('0123456789');
  });

  it('takes any name, hidden ones too, and a file URL', async () => {
    await using server = await serveFile('.hidden.json');
    expect(await (await server.fetch('/')).json()).toEqual({});
    const url = pathToFileURL(join(folder, 'report 100%.txt'));
    await using other = await serve(createApp(QUIET).get('/', () => sendFile(url)));
    expect(await (await other.fetch('/')).text()).toBe('0123456789');
  });

  it.each([
    ['bytes=2-4', 206, '234', 'bytes 2-4/10'],
    ['bytes=-3', 206, '789', 'bytes 7-9/10'],
    ['bytes=-10', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=-99999', 206, '0123456789', 'bytes 0-9/10'], // a suffix that is longer than the file is all of it
    ['bytes=-99999999999999999999999', 206, '0123456789', 'bytes 0-9/10'],
    ['bytes=8-', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99999', 206, '89', 'bytes 8-9/10'],
    ['lines=1-2', 200, '0123456789', null],
    ['bytes=0-0,3-4', 200, '0123456789', null], // several: RFC 9110 lets a server send all of it
  ])('answers Range %s with %i', async (range, status, text, contentRange) => {
    await using server = await serveFile();
    const response = await server.fetch('/', { headers: { range } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(contentRange);
    expect(await response.text()).toBe(text);
  });

  it('answers the last bytes of an empty file with all of it', async () => {
    await using server = await serveFile('empty.bin');
    const response = await server.fetch('/', { headers: { range: 'bytes=-5' } });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it.each(['no-ending', 'notes.unheard-of'])(
    'takes %s for bytes, and leaves nothing to guess',
    async (name) => {
      await writeFile(join(folder, name), '<script>alert(1)</script>');
      await using server = await serveFile(name);
      const response = await server.fetch('/');
      expect(response.headers.get('content-type')).toBe('application/octet-stream');
    },
  );

  it('answers a range beyond the file with a 416 problem', async () => {
    await using server = await serveFile();
    const response = await server.fetch('/', { headers: { range: 'bytes=99-' } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */10');
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  it('gives parts to GET only, and knows no conditions for POST', async () => {
    const path = join(folder, 'report 100%.txt');
    const app = createApp(QUIET)
      .get('/', () => sendFile(path))
      .post('/', () => sendFile(path));
    await using server = await serve(app);
    const headers = { range: 'bytes=2-4', 'if-none-match': '*' };
    const part = { range: 'bytes=2-4' };
    const head = await server.fetch('/', { method: 'HEAD', headers: part });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
    const posted = await server.fetch('/', { method: 'POST', headers });
    expect([posted.status, await posted.text()]).toEqual([200, '0123456789']);
  });

  it('answers If-Range with the part only by the date of the file: its tag is weak', async () => {
    await using server = await serveFile();
    const { headers } = await server.fetch('/', { method: 'HEAD' });
    const ask = async (ifRange: string): Promise<[number, string]> => {
      const response = await server.fetch('/', {
        headers: { range: 'bytes=0-0', 'if-range': ifRange },
      });
      return [response.status, await response.text()];
    };
    const [tag, date] = [headers.get('etag')!, headers.get('last-modified')!];
    expect(await ask(date)).toEqual([206, '0']);
    const dayLater = new Date(Date.parse(date) + 86_400_000).toUTCString();
    for (const other of [tag, tag.replace('W/', ''), `"x", ${tag}`, dayLater, 'nonsense', '']) {
      expect([other, ...(await ask(other))]).toEqual([other, 200, '0123456789']);
    }
  });

  it('is 304 without a body when the client has it, and 412 when it must have another', async () => {
    await using server = await serveFile();
    const etag = (await server.fetch('/', { method: 'HEAD' })).headers.get('etag')!;
    // fetch() would also ask not to be answered from a cache.
    const cached = await request(server.url, { headers: { 'if-none-match': etag } });
    expect(cached.statusCode).toBe(304);
    expect(cached.headers['etag']).toBe(etag);
    expect(await cached.body.text()).toBe('');
    for (const [ifMatch, status] of [
      ['"other"', 412],
      [etag, 412], // a weak tag is never the same for sure
      ['*', 200],
    ] as const) {
      const { status: given } = await server.fetch('/', { headers: { 'if-match': ifMatch } });
      expect([ifMatch, given]).toEqual([ifMatch, status]);
    }
    const past = { 'if-unmodified-since': new Date(0).toUTCString() };
    expect((await server.fetch('/', { headers: past })).status).toBe(412);
  });

  it('names a download in ASCII, and in UTF-8 where that is not enough', async () => {
    await using plain = await serveFile(undefined, { name: 'report.txt' });
    expect((await plain.fetch('/')).headers.get('content-disposition')).toBe(
      'attachment; filename="report.txt"',
    );
    await using other = await serveFile(undefined, { name: 'Übersicht "1"\r\n.txt' });
    expect((await other.fetch('/')).headers.get('content-disposition')).toBe(
      `attachment; filename="_bersicht _1___.txt"; filename*=UTF-8''%C3%9Cbersicht%20%221%22%0D%0A.txt`,
    );
  });

  it('takes the type that it is told', async () => {
    await using server = await serveFile('empty.bin', { type: 'image/png' });
    const response = await server.fetch('/');
    expect(response.headers.get('content-type')).toBe('image/png');
    expect(await response.text()).toBe('');
  });

  it('is a 404 problem without the path when there is no file, or a folder', async () => {
    await using server = await serveFile('missing.txt');
    const response = await server.fetch('/');
    expect(response.status).toBe(404);
    expect(await response.text()).not.toContain('missing.txt');
    await using other = await serveFile('.');
    expect((await other.fetch('/')).status).toBe(404);
  });

  it('answers HEAD with the length and no body', async () => {
    await using server = await serveFile();
    const response = await server.fetch('/', { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('10');
    expect(await response.text()).toBe('');
  });

  it('cuts the connection when the file becomes shorter meanwhile', async () => {
    const path = join(folder, 'shrinking.bin');
    await writeFile(path, Buffer.alloc(8 * 1024 * 1024));
    await using server = await serve(createApp(QUIET).get('/', () => sendFile(path)));
    const response = await server.fetch('/');
    await truncate(path, 10);
    await expect(response.arrayBuffer()).rejects.toThrow('terminated');
  });
});
