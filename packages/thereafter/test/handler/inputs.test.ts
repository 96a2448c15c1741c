import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { body, cookie, createApp, header, path, query } from 'thereafter';
import { Type, type TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';

const Search = Type.Object({
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
  active: Type.Optional(Type.Boolean()),
  tags: Type.Optional(Type.Array(Type.String())),
  sort: Type.Optional(Type.Union([Type.Literal('name'), Type.Literal('age'), Type.Integer()])),
});

describe('query(schema)', () => {
  const app = () => createApp(QUIET).get('/', { in: { q: query(Search) } }, ({ q }) => q);

  it('reads text as its schema says, and fills in defaults', async () => {
    await using server = await serve(app());
    const answer = async (search: string) => (await server.fetch(`/?${search}`)).json();
    expect(await answer('')).toEqual({ limit: 20 });
    expect(await answer('limit=5&active=true&tags=a&sort=7')).toEqual({
      limit: 5,
      active: true,
      tags: ['a'],
      sort: 7,
    });
    expect(await answer('tags=a&tags=b&other=x')).toEqual({ limit: 20, tags: ['a', 'b'] });
  });

  it('reports every field that is wrong in one problem', async () => {
    await using server = await serve(app());
    const response = await server.fetch('/?limit=500&active=yes&sort=size');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      detail: '3 input values are not valid.',
      errors: [
        { source: 'query', pointer: '/limit', message: 'must be <= 100, got 500' },
        { source: 'query', pointer: '/active', message: 'must be a boolean, got "yes"' },
        {
          source: 'query',
          pointer: '/sort',
          message: 'must be "name" or "age" or an integer, got "size"',
        },
      ],
    });
  });

  it('refuses a repeated key where one value is wanted', async () => {
    await using server = await serve(app());
    expect((await server.fetch('/?limit=1&limit=2')).status).toBe(422);
  });

  it('never reaches a prototype', async () => {
    await using server = await serve(app());
    expect(await (await server.fetch('/?__proto__=x&constructor=y')).json()).toEqual({ limit: 20 });
  });
});

describe('path, query and header by name', () => {
  it('are read one by one, each by its schema', async () => {
    const app = createApp(QUIET).get(
      '/users/:id',
      {
        in: {
          id: path('id', Type.Integer()),
          q: query('q', Type.Optional(Type.String())),
          trace: header('X-Trace', Type.String({ default: 'none' })),
        },
      },
      ({ id, q = 'nothing', trace }) => ({ id, q, trace }),
    );
    await using server = await serve(app);
    expect(await (await server.fetch('/users/7')).json()).toEqual({
      id: 7,
      q: 'nothing',
      trace: 'none',
    });
    const bad = await server.fetch('/users/x7?q=1&q=2');
    expect(await bad.json()).toMatchObject({
      errors: [
        { source: 'path', pointer: '/id', message: 'must be an integer, got "x7"' },
        { source: 'query', pointer: '/q', message: 'must be a string, got ["1","2"]' },
      ],
    });
  });

  it('decodes a path parameter once', async () => {
    const app = createApp(QUIET).get(
      '/files/:name',
      { in: { name: path('name', Type.String()) } },
      ({ name }) => ({ name }),
    );
    await using server = await serve(app);
    expect(await (await server.fetch('/files/a%2Fb%252F')).json()).toEqual({ name: 'a/b%2F' });
  });
});

describe('body(schema)', () => {
  const User = Type.Object({
    name: Type.String({ minLength: 1 }),
    email: Type.String({ format: 'email' }),
    role: Type.String({ default: 'member' }),
  });
  const app = () => createApp(QUIET).post('/', { in: { user: body(User) } }, ({ user }) => user);

  it('is JSON, checked and with its defaults', async () => {
    await using server = await serve(app());
    const response = await server.post('/', { name: 'Ada', email: 'a@b.io' });
    expect(await response.json()).toEqual({ name: 'Ada', email: 'a@b.io', role: 'member' });
  });

  it('is never coerced, and each fault is reported without the value', async () => {
    await using server = await serve(app());
    const response = await server.post('/', { name: 7, email: 'secret' });
    expect(response.status).toBe(422);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      errors: [
        { source: 'body', pointer: '/name', message: 'must be a string' },
        { source: 'body', pointer: '/email', message: 'must be an email' },
      ],
    });
    expect(text).not.toContain('secret');
  });

  it('names each field that is missing', async () => {
    await using server = await serve(app());
    expect(await (await server.post('/', {})).json()).toMatchObject({
      errors: [
        { pointer: '/name', message: 'is required' },
        { pointer: '/email', message: 'is required' },
      ],
    });
  });

  it.each([
    ['malformed', 400, '{"name":', 'application/json'],
    ['empty', 400, '', 'application/json'],
    ['after the prototype', 400, '{"__proto__":{"admin":true}}', 'application/json'],
    ['of another type', 415, 'name=Ada', 'application/x-www-form-urlencoded'],
    ['too large', 413, JSON.stringify('x'.repeat(1024 * 1024)), 'application/json'],
  ])('is refused when it is %s', async (_, status, content, type) => {
    await using server = await serve(app());
    const response = await server.fetch('/', {
      method: 'POST',
      body: content,
      headers: { 'content-type': type },
    });
    expect(response.status).toBe(status);
  });

  it('is refused while it streams, when it does not say its length', async () => {
    await using server = await serve(app());
    const upload = request(server.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    });
    upload.write(Buffer.alloc(1024 * 1024 + 1, 32)); // and never ends
    const [response] = (await once(upload, 'response')) as [IncomingMessage];
    expect(response.statusCode).toBe(413);
    expect(response.headers.connection).toBe('close');
    upload.destroy();
  });
});

describe('cookie(name, schema)', () => {
  const app = () =>
    createApp(QUIET).get(
      '/',
      { in: { visits: cookie('visits', Type.Integer()), theme: cookie('theme', Theme) } },
      ({ visits, theme }) => ({ visits, theme }),
    );
  const Theme = Type.Union([Type.Literal('dark'), Type.Literal('light')], { default: 'light' });

  it('is decoded and read by its schema', async () => {
    await using server = await serve(app());
    const answer = async (value: string) =>
      (await server.fetch('/', { headers: { cookie: value } })).json();
    expect(await answer('visits=3; theme=dark')).toEqual({ visits: 3, theme: 'dark' });
    expect(await answer('visits=%33; __proto__=x')).toEqual({ visits: 3, theme: 'light' });
    expect(await answer('visits=1; visits=2')).toEqual({ visits: 1, theme: 'light' });
  });

  it('is 422 when it does not fit, with its source', async () => {
    await using server = await serve(app());
    const response = await server.fetch('/', { headers: { cookie: 'theme=blue' } });
    expect(await response.json()).toMatchObject({
      errors: [
        { source: 'cookie', pointer: '/visits', message: 'is required' },
        { source: 'cookie', pointer: '/theme', message: 'must be "dark" or "light", got "blue"' },
      ],
    });
  });
});

describe('a query string', () => {
  const app = () =>
    createApp(QUIET).get('/', { in: { q: query('q', Type.Optional(Type.String())) } }, ({ q }) => ({
      q,
    }));

  it.each([
    ['broken percent-encoding', 400, 'q=%zz'],
    ['percent-encoding that is no UTF-8', 400, 'q=%ff'],
    ['1,001 pairs', 400, 'a=1&'.repeat(1000) + 'a=1'],
    ['1,000 pairs', 200, 'a=1&'.repeat(999) + 'a=1'],
    ['empty pairs', 200, '&&q&='],
  ])('with %s is %i', async (_, status, search) => {
    await using server = await serve(app());
    expect((await server.fetch(`/?${search}`)).status).toBe(status);
  });

  it('is flat: brackets are part of a name', async () => {
    await using server = await serve(app());
    expect(await (await server.fetch('/?q[a]=1&q.b=2&q=%2B+x')).json()).toEqual({ q: '+ x' });
  });

  it('refuses, before the port opens, a schema that would have to be nested', async () => {
    const nested = createApp(QUIET).get(
      '/',
      { in: { q: query(Type.Object({ a: Type.Object({ b: Type.Integer() }) })) } },
      () => 'never',
    );
    await expect(nested.listen({ port: 0 })).rejects.toThrow('are flat. Use a JSON body.');
  });
});

describe('a header', () => {
  it('is taken apart at its commas where a list is wanted', async () => {
    const app = createApp(QUIET).get(
      '/',
      { in: { ids: header('X-Ids', Type.Array(Type.Integer())) } },
      ({ ids }) => ids,
    );
    await using server = await serve(app);
    const response = await server.fetch('/', { headers: { 'x-ids': '1, 2,3' } });
    expect(await response.json()).toEqual([1, 2, 3]);
  });
});

describe('a codec', () => {
  const Day = Type.Codec(Type.String({ format: 'date' }))
    .Decode((text) => new Date(text))
    .Encode((date) => date.toISOString());
  const Even = Type.Codec(Type.Integer())
    .Decode((value) => {
      if (value % 2 !== 0) throw new Error('the reason stays here');
      return value / 2;
    })
    .Encode((value) => value * 2);

  const app = () =>
    createApp(QUIET)
      .get('/', { in: { day: query('day', Day), q: query(Type.Object({ n: Even })) } }, (v) => ({
        year: v.day.getUTCFullYear(),
        half: v.q.n,
      }))
      .post('/', { in: { given: body(Type.Object({ days: Type.Array(Day) })) } }, ({ given }) =>
        given.days.map((day) => day.getUTCFullYear()),
      );

  it('decodes after the check', async () => {
    await using server = await serve(app());
    expect(await (await server.fetch('/?day=2026-01-02&n=4')).json()).toEqual({
      year: 2026,
      half: 2,
    });
    expect(await (await server.post('/', { days: ['2025-01-01'] })).json()).toEqual([2025]);
  });

  it('is 422 when the check or the decoder refuses', async () => {
    await using server = await serve(app());
    const response = await server.fetch('/?day=tomorrow&n=3');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      errors: [
        { source: 'query', pointer: '/day', message: 'must be a date, got "tomorrow"' },
        { source: 'query', pointer: '', message: 'cannot be decoded' },
      ],
    });
  });
});

describe('a default', () => {
  it('is filled in before the check, nested ones of a JSON body included', async () => {
    const Settings = Type.Object({
      page: Type.Object(
        { size: Type.Integer({ default: 20 }), sort: Type.String({ default: 'name' }) },
        { default: {} },
      ),
    });
    const app = createApp(QUIET).post('/', { in: { given: body(Settings) } }, ({ given }) => given);
    await using server = await serve(app);
    expect(await (await server.post('/', {})).json()).toEqual({
      page: { size: 20, sort: 'name' },
    });
    expect(await (await server.post('/', { page: { size: 5 } })).json()).toEqual({
      page: { size: 5, sort: 'name' },
    });
  });
});

describe('an object with more than eight faults', () => {
  it('is told the first twenty of them', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `f${i}`);
    const Wide = Type.Object(Object.fromEntries(names.map((name) => [name, Type.Integer()])));
    const app = createApp(QUIET).post('/', { in: { given: body(Wide) } }, () => 'never');
    await using server = await serve(app);
    const wrong = Object.fromEntries(names.map((name) => [name, 'x']));
    const { errors } = (await (await server.post('/', wrong)).json()) as { errors: unknown[] };
    expect(errors).toHaveLength(20);
  });
});

describe('a format', () => {
  const formats: [string, string[], string[]][] = [
    ['email', ['ada@x.io', 'a.b+c@sub.x.io'], ['ada', 'ada@', '@x.io', 'a b@x.io', 'a@x..io']],
    [
      'uuid',
      ['123e4567-e89b-12d3-a456-426614174000'],
      ['123e4567e89b12d3a456426614174000', '123e4567-e89b-12d3-a456-42661417400g', ''],
    ],
    [
      'date-time',
      ['2026-02-28T23:59:59Z', '2026-02-28T23:59:59.5+01:00'],
      ['2026-02-30T00:00:00Z', '2026-02-28', '2026-02-28T25:00:00Z', 'yesterday'],
    ],
    ['uri', ['https://x.io/a?b#c', 'urn:isbn:1'], ['/a', 'x.io', 'https://x.io/a b', '']],
  ];

  it.each(formats)('is checked in query and body: %s', async (format, good, bad) => {
    const schema = Type.Object({ value: Type.String({ format }) });
    const app = createApp(QUIET)
      .get('/', { in: { given: query(schema) } }, ({ given }) => given.value)
      .post('/', { in: { given: body(schema) } }, ({ given }) => given.value);
    await using server = await serve(app);
    const ask = async (value: string): Promise<number[]> => [
      (await server.fetch(`/?value=${encodeURIComponent(value)}`)).status,
      (await server.post('/', { value })).status,
    ];
    for (const value of good) expect([value, ...(await ask(value))]).toEqual([value, 200, 200]);
    for (const value of bad) expect([value, ...(await ask(value))]).toEqual([value, 422, 422]);
  });
});

describe('a union that nothing fits', () => {
  const faults = async (schema: TSchema, value: unknown): Promise<unknown> => {
    const app = createApp(QUIET).post('/', { in: { value: body(schema) } }, () => 'taken');
    await using server = await serve(app);
    const { errors } = (await (await server.post('/', value)).json()) as { errors: unknown };
    return errors;
  };
  const inBody = (message: string, pointer = ''): unknown[] => [
    { source: 'body', pointer, message },
  ];
  const A = Type.Object({ a: Type.String() });
  const B = Type.Object({ b: Type.Number() });

  it.each<[string, TSchema, unknown, string]>([
    [
      'objects',
      Type.Union([A, B]),
      {},
      'must have required properties a, or must have required properties b',
    ],
    [
      'an object and null',
      Type.Union([A, Type.Null()]),
      {},
      'must be null, or must have required properties a',
    ],
    ['types', Type.Union([Type.String(), Type.Integer()]), null, 'must be a string or an integer'],
    [
      'unions',
      Type.Union([Type.Union([Type.String(), Type.Null()]), Type.Boolean()]),
      1,
      'must be a string or null or a boolean',
    ],
    [
      'oneOf',
      { oneOf: [{ type: 'string' }, { type: 'number', minimum: 5 }] },
      1,
      'must be a string or >= 5',
    ],
    [
      'limits',
      Type.Union([Type.String({ minLength: 3 }), Type.String({ pattern: '^x$' })]),
      'a',
      'must not have fewer than 3 characters, or must match pattern "^x$"',
    ],
  ])('of %s reads as a sentence', async (_, schema, value, message) => {
    expect(await faults(schema, value)).toEqual(inBody(message));
    expect(await faults(Type.Object({ at: schema }), { at: value })).toEqual(
      inBody(message, '/at'),
    );
  });
});
