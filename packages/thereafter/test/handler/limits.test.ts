import { gzipSync } from 'node:zlib';
import { body, createApp, file, form, query, type App, type Limits } from 'thereafter';
import { Type } from 'typebox';
import { fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { QUIET, serve, type Served } from '../support/serve.ts';

/** A body that is coded in one of the ways, and holds so many bytes of content. */
interface Kind {
  readonly type: string;
  readonly encode: (content: string) => string;
  /** Adds the route that reads it; `maxBytes` is that of the input. */
  readonly add: (app: App, maxBytes?: number) => App;
}

const part = (head: string, content: string): string =>
  `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`;
const field = (name: string, content: string): string => part(`name="${name}"`, content);
const upload = (name: string, content: string): string =>
  part(`name="${name}"; filename="f"`, content);

const MULTIPART = 'multipart/form-data; boundary=b';
const Named = Type.Object({ a: Type.Optional(Type.String()) });
const own = (maxBytes?: number) => (maxBytes === undefined ? {} : { maxBytes });

const KINDS: Readonly<Record<string, Kind>> = {
  json: {
    type: 'application/json',
    encode: (content) => JSON.stringify(content),
    add: (app, maxBytes) =>
      app.post('/', { in: { x: body(Type.String(), own(maxBytes)) } }, () => 'taken'),
  },
  text: {
    type: 'text/plain',
    encode: (content) => content,
    add: (app, maxBytes) => app.post('/', { in: { x: body.text(own(maxBytes)) } }, () => 'taken'),
  },
  bytes: {
    type: 'application/octet-stream',
    encode: (content) => content,
    add: (app, maxBytes) => app.post('/', { in: { x: body.bytes(own(maxBytes)) } }, () => 'taken'),
  },
  stream: {
    type: 'application/octet-stream',
    encode: (content) => content,
    add: (app, maxBytes) =>
      app.post('/', { in: { x: body.stream(own(maxBytes)) } }, async ({ x }) => {
        for await (const _ of x);
        return 'taken';
      }),
  },
  request: {
    type: 'text/plain',
    encode: (content) => content,
    add: (app) =>
      app.post('/', async ({ ctx }) => {
        await ctx.request.text();
        return 'taken';
      }),
  },
  urlencoded: {
    type: 'application/x-www-form-urlencoded',
    encode: (content) => `a=${content}`,
    add: (app, maxBytes) => app.post('/', { in: { x: form(Named, own(maxBytes)) } }, () => 'taken'),
  },
  'a field of an urlencoded form': {
    type: 'application/x-www-form-urlencoded',
    encode: (content) => `a=${content}`,
    add: (app, maxBytes) =>
      app.post('/', { in: { x: form('a', Type.String(), own(maxBytes)) } }, () => 'taken'),
  },
  multipart: {
    type: MULTIPART,
    encode: (content) => `${field('a', content)}--b--`,
    add: (app, maxBytes) => app.post('/', { in: { x: form(Named, own(maxBytes)) } }, () => 'taken'),
  },
  'unnamed fields of multipart': {
    type: MULTIPART,
    encode: (content) => `${field('other', content)}--b--`,
    add: (app, maxBytes) => app.post('/', { in: { x: form(Named, own(maxBytes)) } }, () => 'taken'),
  },
  'unnamed files of multipart': {
    type: MULTIPART,
    encode: (content) => `${upload('other', content)}--b--`,
    add: (app, maxBytes) => app.post('/', { in: { x: form(Named, own(maxBytes)) } }, () => 'taken'),
  },
  'fields beside files': {
    type: MULTIPART,
    encode: (content) =>
      `${field('a', content.slice(content.length / 2))}${field('b', content.slice(0, content.length / 2))}--b--`,
    add: (app, maxBytes) =>
      app.post(
        '/',
        { in: { x: form(Named, own(maxBytes)), y: file.optional('file') } },
        () => 'taken',
      ),
  },
  'fields among parts': {
    type: MULTIPART,
    encode: (content) =>
      `${field('a', content.slice(content.length / 2))}${field('b', content.slice(0, content.length / 2))}--b--`,
    add: (app) =>
      app.post('/', { in: { x: form.parts() } }, async ({ x }) => {
        for await (const _ of x);
        return 'taken';
      }),
  },
};

const WITH_OWN = Object.keys(KINDS).filter(
  (name) => name !== 'request' && name !== 'fields among parts',
);

function app(kind: Kind, limits: Limits = {}, maxBytes?: number): App {
  return kind.add(createApp({ ...QUIET, limits }), maxBytes);
}

async function statusFor(
  { url }: Served,
  type: string,
  bytes: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body: bytes,
    headers: { 'content-type': type, ...headers },
  });
  await response.text();
  return response.status;
}

/** In pieces, without its length. */
async function statusOfPieces({ url }: Served, type: string, text: string): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    body: ReadableStream.from([Buffer.from(text.slice(0, 10)), Buffer.from(text.slice(10))]),
    headers: { 'content-type': type },
    duplex: 'half',
  });
  await response.text();
  return response.status;
}

describe.for(Object.entries(KINDS))('a body read as %s', ([, kind]) => {
  const send = (server: Served, content: string): Promise<number> =>
    statusFor(server, kind.type, kind.encode(content));

  it('is refused over maxBodyBytes, with its length and without', async () => {
    await using server = await serve(app(kind, { maxBodyBytes: 1000 }));
    expect(await send(server, 'x'.repeat(100))).toBe(200);
    expect(await send(server, 'x'.repeat(2000))).toBe(413);
    expect(await statusOfPieces(server, kind.type, kind.encode('x'.repeat(100)))).toBe(200);
    expect(await statusOfPieces(server, kind.type, kind.encode('x'.repeat(2000)))).toBe(413);
  });

  it('is refused over 1 MiB by default', async () => {
    await using server = await serve(app(kind));
    expect(await send(server, 'x'.repeat(1024 * 1024 - 1000))).toBe(200);
    expect(await send(server, 'x'.repeat(1024 * 1024 + 1))).toBe(413);
  });

  it('is refused when it is compressed, unless the app allows it', async () => {
    const zipped = gzipSync(kind.encode('x'.repeat(100)));
    const headers = { 'content-encoding': 'gzip' };
    await using closed = await serve(app(kind));
    expect(await statusFor(closed, kind.type, zipped, headers)).toBe(415);
    await using open = await serve(app(kind, { compressedBodies: true }));
    expect(await statusFor(open, kind.type, zipped, headers)).toBe(200);
  });

  it('is bounded after inflating, in size and in ratio', async () => {
    const limits = { compressedBodies: true, maxBodyBytes: 1000 };
    const headers = { 'content-encoding': 'gzip' };
    const zipped = (length: number) => gzipSync(kind.encode('x'.repeat(length)));
    await using server = await serve(app(kind, limits));
    expect(await statusFor(server, kind.type, zipped(2000), headers)).toBe(413);
    await using strict = await serve(
      app(kind, { compressedBodies: true, maxCompressionRatio: 10 }),
    );
    expect(await statusFor(strict, kind.type, zipped(500_000), headers)).toBe(413);
  });
});

describe.for(WITH_OWN)('a body read as %s', (name) => {
  it('is refused over the maxBytes of its input', async () => {
    const kind = KINDS[name]!;
    await using server = await serve(app(kind, {}, 1000));
    expect(await statusFor(server, kind.type, kind.encode('x'.repeat(100)))).toBe(200);
    expect(await statusFor(server, kind.type, kind.encode('x'.repeat(2000)))).toBe(413);
  });

  it('may be larger than maxBodyBytes by the maxBytes of its input', async () => {
    const kind = KINDS[name]!;
    await using server = await serve(app(kind, { maxBodyBytes: 1000 }, 5000));
    expect(await statusFor(server, kind.type, kind.encode('x'.repeat(2000)))).toBe(200);
  });
});

const FORMS: Readonly<Record<string, (app: App) => App>> = {
  'form()': (app) => app.post('/', { in: { x: form(Named) } }, () => 'taken'),
  'file()': (app) => app.post('/', { in: { x: form(Named), y: file.list('file') } }, () => 'taken'),
  'form.parts()': (app) =>
    app.post('/', { in: { x: form.parts() } }, async ({ x }) => {
      for await (const { stream } of x) for await (const _ of stream);
      return 'taken';
    }),
  'form.parts() that nobody reads': (app) =>
    app.post('/', { in: { x: form.parts() } }, async ({ x }) => {
      for await (const _ of x);
      return 'taken';
    }),
};

const headers = (count: number): string =>
  `--b\r\nContent-Disposition: form-data; name=a\r\n${Array.from({ length: count - 1 }, (_, i) => `X-${i}: 1\r\n`).join('')}\r\nx\r\n`;
const headerBytes = (count: number): string => {
  const line = 'Content-Disposition: form-data; name=a\r\nX-A: ';
  return `--b\r\n${line}${'x'.repeat(count - line.length)}\r\n\r\nx\r\n`;
};
const many = (count: number, one: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => one(i)).join('');

describe.for(Object.entries(FORMS))('a multipart form read by %s', ([, add]) => {
  it.for<[string, NonNullable<Limits['multipart']>, number, string, string]>([
    [
      'maxFiles',
      { maxFiles: 2 },
      413,
      many(2, () => upload('file', 'x')),
      many(3, () => upload('file', 'x')),
    ],
    [
      'maxFileBytes',
      { maxFileBytes: 100 },
      413,
      upload('file', 'x'.repeat(100)),
      upload('file', 'x'.repeat(101)),
    ],
    [
      'maxFileBytes for unnamed files',
      { maxFileBytes: 100 },
      413,
      upload('other', 'x'.repeat(100)),
      upload('other', 'x'.repeat(101)),
    ],
    [
      'maxFields',
      { maxFields: 2 },
      413,
      many(2, (i) => field(`f${i}`, 'x')),
      many(3, (i) => field(`f${i}`, 'x')),
    ],
    [
      'maxFieldBytes',
      { maxFieldBytes: 100 },
      413,
      field('a', 'x'.repeat(100)),
      field('a', 'x'.repeat(101)),
    ],
    [
      'maxFieldBytes for unnamed fields',
      { maxFieldBytes: 100 },
      413,
      field('b', 'x'.repeat(100)),
      field('b', 'x'.repeat(101)),
    ],
    [
      'maxParts',
      { maxParts: 2 },
      413,
      many(2, (i) => field(`f${i}`, 'x')),
      many(3, (i) => field(`f${i}`, 'x')),
    ],
    ['maxPartHeaders', { maxPartHeaders: 3 }, 400, headers(3), headers(4)],
    ['maxPartHeaderBytes', { maxPartHeaderBytes: 200 }, 400, headerBytes(200), headerBytes(201)],
  ])('keeps multipart.%s', async ([, multipart, status, good, bad]) => {
    await using server = await serve(add(createApp({ ...QUIET, limits: { multipart } })));
    expect(await statusFor(server, MULTIPART, `${good}--b--`)).toBe(200);
    expect(await statusFor(server, MULTIPART, `${bad}--b--`)).toBe(status);
  });

  it('is 400 when its boundary never occurs', async () => {
    await using server = await serve(add(createApp(QUIET)));
    expect(await statusFor(server, MULTIPART, 'no form at all\r\n'.repeat(100))).toBe(400);
    expect(await statusFor(server, MULTIPART, '--other\r\n\r\n--other--')).toBe(400);
  });
});

describe('a form', () => {
  it.each([
    [MULTIPART, `${field('a', '1')}${field('b', '2')}--b--`],
    ['application/x-www-form-urlencoded', 'a=1&b=2'],
  ])(
    'of %s keeps what a schema names, and refuses the rest if that says so',
    async (type, text) => {
      const Exact = Type.Object({ a: Type.String() }, { additionalProperties: false });
      const app = createApp(QUIET)
        .post('/', { in: { x: form(Named) } }, ({ x }) => x)
        .post('/exact', { in: { x: form(Exact) } }, ({ x }) => x)
        .post('/two', { in: { x: form('b', Type.String()), y: form(Named) } }, ({ x, y }) => [
          x,
          y,
        ]);
      await using server = await serve(app);
      const post = (path: string) =>
        server.fetch(path, { method: 'POST', body: text, headers: { 'content-type': type } });
      expect(await (await post('/')).json()).toEqual({ a: '1' });
      expect(await (await post('/two')).json()).toEqual(['2', { a: '1' }]);
      expect((await post('/exact')).status).toBe(422);
    },
  );

  it('may have larger files by the maxBytes of parts()', async () => {
    const app = createApp({ ...QUIET, limits: { multipart: { maxFileBytes: 10 } } }).post(
      '/',
      { in: { parts: form.parts({ maxBytes: 100 }) } },
      async ({ parts }) => {
        for await (const { stream } of parts) for await (const _ of stream);
        return 'taken';
      },
    );
    await using server = await serve(app);
    expect(await statusFor(server, MULTIPART, `${upload('f', 'x'.repeat(100))}--b--`)).toBe(200);
    expect(await statusFor(server, MULTIPART, `${upload('f', 'x'.repeat(101))}--b--`)).toBe(413);
  });
});

describe.for<[string, (pairs: string) => RequestInit & { readonly search?: string }]>([
  ['a query string', (pairs) => ({ method: 'GET', search: `?${pairs}` })],
  [
    'an urlencoded form',
    (pairs) => ({
      method: 'POST',
      body: pairs,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  ],
])('%s', ([, make]) => {
  it('may have as many pairs as maxQueryPairs says', async () => {
    const app = (limits: Limits): App =>
      createApp({ ...QUIET, limits })
        .get('/', { in: { x: query(Named) } }, () => 'taken')
        .post('/', { in: { x: form(Named) } }, () => 'taken');
    const ask = async (limits: Limits, count: number): Promise<number> => {
      await using server = await serve(app(limits));
      const { search = '', ...init } = make(many(count, () => 'b=1&').slice(0, -1));
      return (await globalThis.fetch(`${server.url}/${search}`, init)).status;
    };
    expect(await ask({ maxQueryPairs: 3 }, 3)).toBe(200);
    expect(await ask({ maxQueryPairs: 3 }, 4)).toBe(400);
    expect(await ask({}, 1000)).toBe(200);
    expect(await ask({}, 1001)).toBe(400);
  });
});
