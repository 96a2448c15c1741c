import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { createApp } from 'thereafter';
import { compress } from 'thereafter/compress';
import { etag } from 'thereafter/etag';
import { staticFiles } from 'thereafter/static';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminConsole } from '../src/index.ts';

/*
 * Everything that chooses a coding or compares tags does so alike, whether the answer is a file of the
 * docs page, a file of the console, a file of a folder, or what a handler returned.
 */

const LONG = 'thereafter '.repeat(500);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thereafter-negotiation-'));
  await writeFile(join(folder, 'long.txt'), LONG);
});
afterAll(() => rm(folder, { recursive: true }));

const quiet = { logger: false, shutdown: { signals: false } } as const;

const places = [
  { name: 'docs page', path: '/docs/swagger-ui.css', app: () => createApp(quiet) },
  {
    name: 'console',
    path: '/console/page/style.css',
    app: () => createApp(quiet).include(adminConsole({ authorize: () => true })),
  },
  {
    name: 'static files and compress()',
    path: '/long.txt',
    app: () => createApp(quiet).use(compress()).use(staticFiles(folder)),
  },
  {
    name: 'compress() and etag()',
    path: '/',
    app: () =>
      createApp(quiet)
        .use(compress())
        .use(etag())
        .get('/', () => LONG),
  },
] as const;

type Place = (typeof places)[number];

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks a place for its answer as it comes over the wire, once for each of some headers. */
async function ask(
  { app, path }: Place,
  ...asked: readonly ((tag: string) => Record<string, string>)[]
): Promise<Answer[]> {
  await using served = app();
  const { url } = await served.listen({ port: 0, host: '127.0.0.1' });
  const answers: Answer[] = [];
  for (const headersFor of asked) {
    const headers = headersFor(answers.at(-1)?.headers.etag ?? '');
    const req = request(url + path, { headers, agent: false }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    answers.push({ status: res.statusCode!, headers: res.headers, body: await buffer(res) });
  }
  return answers;
}

const DECODERS: Record<string, (body: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  zstd: zstdDecompressSync,
  identity: (body) => body,
};

describe.each(places)('$name', (place) => {
  it.each([
    ['gzip', 'gzip'],
    ['br', 'br'],
    ['zstd', 'zstd'],
    ['gzip, br, zstd', 'br'],
    ['gzip, br;q=0.5', 'gzip'],
    ['br;q=0, *', 'zstd'],
    ['*', 'br'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip;q=0.001', 'gzip'],
    ['gzip ; q=1.0', 'gzip'],
    ['gzip;q=0', 'identity'],
    ['gzip;q=0.0, br;q=0', 'identity'],
    ['*;q=0', 'identity'],
    ['identity', 'identity'],
    ['gzip;q=0.5, identity', 'identity'],
    ['deflate', 'identity'],
    ['gzipped', 'identity'],
    ['', 'identity'],
  ])('understands accept-encoding: %s', async (accepted, coding) => {
    const [plain, answer] = await ask(
      place,
      () => ({}),
      () => ({ 'accept-encoding': accepted }),
    );
    expect(answer!.headers['content-encoding'] ?? 'identity').toBe(coding);
    expect(answer!.headers.vary?.toLowerCase()).toBe('accept-encoding');
    expect(DECODERS[coding]!(answer!.body).equals(plain!.body)).toBe(true);
  });

  it.each<[string, (tag: string) => string, 304 | 200]>([
    ['its tag', (tag) => tag, 304],
    ['its tag as a weak one', (tag) => weak(tag), 304],
    ['its tag as a strong one', (tag) => strong(tag), 304],
    ['a list that has it', (tag) => `"other", ${tag}`, 304],
    ['a list without spaces', (tag) => `"a,b",${weak(tag)},"c"`, 304],
    ['a star', () => '*', 304],
    ['another tag', () => '"other"', 200],
    ['a tag that holds it', (tag) => strong(tag).replace('"', '"x'), 200],
    ['its letters without quotes', (tag) => strong(tag).slice(1, -1), 200],
    ['nothing', () => '', 200],
  ])('understands if-none-match with %s', async (_, known, status) => {
    const headers = { 'accept-encoding': 'br' };
    const [first, again] = await ask(
      place,
      () => headers,
      (tag) => ({ ...headers, 'if-none-match': known(tag) }),
    );
    expect(again!.status).toBe(status);
    expect(weak(again!.headers.etag!)).toBe(weak(first!.headers.etag!));
    expect(again!.headers.vary?.toLowerCase()).toBe('accept-encoding');
    expect(again!.headers['cache-control']).toBe(first!.headers['cache-control']);
    const whole = [first!.headers['content-type'], first!.headers['content-encoding'], first!.body];
    const none = [undefined, undefined, Buffer.alloc(0)];
    const got = [again!.headers['content-type'], again!.headers['content-encoding'], again!.body];
    expect(got).toEqual(status === 304 ? none : whole);
  });

  it.each<[string, (tag: string) => string]>([
    ['another tag', () => '"other"'],
    ['a weak one, which says nothing of bytes', (tag) => weak(tag)],
  ])('refuses if-match with %s', async (_, wanted) => {
    const [, answer] = await ask(
      place,
      () => ({}),
      (tag) => ({ 'if-match': wanted(tag) }),
    );
    expect(answer!.status).toBe(412);
    expect(answer!.headers['content-type']).toBe('application/problem+json');
  });

  it('answers if-match with a star', async () => {
    const [answer] = await ask(place, () => ({ 'if-match': '*' }));
    expect(answer!.status).toBe(200);
  });
});

const strong = (tag: string): string => tag.replace(/^W\//, '');
const weak = (tag: string): string => `W/${strong(tag)}`;
