import { body, createApp, query } from 'thereafter';
import { Type, type TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { compileCheck, type Findings } from '../../src/handler/check.ts';
import { mayBacktrack } from '../../src/handler/validator.ts';
import { QUIET, serve } from '../support/serve.ts';

const BYTES = 1024 * 1024;

/** As many of them as fit into the largest body that is allowed by default. */
function list(item: (i: number) => unknown): unknown[] {
  const items: unknown[] = [];
  for (let length = 2, i = 0; ; i++) {
    length += JSON.stringify(item(i)).length + 1;
    if (length > BYTES) return items;
    items.push(item(i));
  }
}

function record(value: (i: number) => unknown, key = (i: number) => `k${i}`): object {
  return Object.fromEntries(
    list((i) => [key(i), value(i)]).map((pair) => pair as [string, unknown]),
  );
}

const named = <T>(count: number, value: (name: string) => T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, value(`q${i}`)]));

/** Trees whose kind is known only when both branches have been looked at, twice on each level. */
const Tree = Type.Cyclic(
  {
    Tree: Type.Union([
      Type.Object({ left: Type.Ref('Tree'), kind: Type.Literal('a') }),
      Type.Object({ left: Type.Ref('Tree'), kind: Type.Literal('b') }),
      Type.Null(),
    ]),
  },
  'Tree',
);
const deep = (levels: number): unknown =>
  levels === 0 ? 'no tree' : { left: deep(levels - 1), kind: 'a' };

/** A schema with each keyword that compares or counts, and a body that keeps it as busy as it can. */
const BUSY: readonly (readonly [keyword: string, TSchema, unknown])[] = [
  ['uniqueItems', Type.Array(Type.Number(), { uniqueItems: true }), list(() => 1)],
  ['uniqueItems in an item', { items: { uniqueItems: true } }, [list(() => 1)]],
  ['uniqueItems of objects', { type: 'array', uniqueItems: true }, list(() => ({ a: [1] }))],
  ['items', Type.Array(Type.String()), list(() => 1)],
  ['prefixItems', { prefixItems: [{}], items: { type: 'string' } }, list(() => 1)],
  ['additionalItems', { items: [{}], additionalItems: { type: 'string' } }, list(() => 1)],
  ['unevaluatedItems', { contains: { const: 1 }, unevaluatedItems: false }, list((i) => i % 2)],
  ['contains', { contains: { const: 7 } }, list(() => 1)],
  ['minContains', { contains: { const: 1 }, minContains: 1e9 }, list(() => 1)],
  ['maxContains', { contains: { const: 1 }, maxContains: 1 }, list(() => 1)],
  ['enum', Type.Array({ enum: [list((i) => i).slice(0, 50_000), 2] }), list(() => [0])],
  ['const', Type.Array({ const: list((i) => i).slice(0, 50_000) }), list(() => [0])],
  [
    'anyOf',
    Type.Array(Type.Union([Type.String(), Type.Null(), Type.Array(Type.Null())])),
    list(() => [1]),
  ],
  ['oneOf', Type.Array({ oneOf: [{ required: ['a'] }, { required: ['b'] }] }), list(() => ({}))],
  ['allOf', Type.Array({ allOf: [{ required: ['a'] }, { required: ['b'] }] }), list(() => ({}))],
  ['not', Type.Array({ not: { type: 'number' } }), list(() => 1)],
  ['if', Type.Array({ if: { type: 'string' }, else: false }), list(() => 1)],
  ['properties', Type.Object({ k1: Type.String() }), record(() => 1)],
  ['additionalProperties', Type.Object({}, { additionalProperties: false }), record(() => 1)],
  ['patternProperties', { patternProperties: { '1$': { type: 'string' } } }, record(() => 1)],
  ['propertyNames', { propertyNames: { maxLength: 1 } }, record(() => 1)],
  [
    'unevaluatedProperties',
    { properties: { a: {} }, unevaluatedProperties: false },
    record(() => 1),
  ],
  ['dependentRequired', { dependentRequired: named(500, (name) => [name]) }, record(() => 1)],
  [
    'dependentSchemas',
    { dependentSchemas: named(500, (name) => ({ required: [name] })) },
    record(() => 1),
  ],
  ['minProperties', { minProperties: 1e9 }, record(() => 1)],
  ['$ref', Tree, deep(60)],
  ['pattern', Type.String({ pattern: '^(a+)+$' }), `${'a'.repeat(100)}!`],
  ['pattern without a beginning', Type.String({ pattern: 'a+!$' }), 'a'.repeat(BYTES - 2)],
  [
    'pattern of a key',
    Type.Record(Type.String({ pattern: '^(a+)+$' }), Type.Null()),
    { [`${'a'.repeat(100)}!`]: null },
  ],
  ['format', Type.String({ format: 'email' }), 'a.'.repeat(BYTES / 2 - 2)],
  ['minLength', Type.String({ minLength: BYTES }), '\u0301'.repeat(BYTES / 2 - 2)],
  [
    'a long key',
    Type.Object({}, { additionalProperties: Type.Array(Type.Null()) }),
    { ['k'.repeat(BYTES / 2)]: list(() => 1).slice(0, 100_000) },
  ],
  ['default', Type.Array(Type.Object({ a: Type.Number({ default: 1 }) })), list(() => ({}))],
];

describe('a body of the largest size', () => {
  it.each(BUSY)('is checked for %s, or refused, in bounded work', async (_, schema, value) => {
    const app = createApp({ ...QUIET, limits: { maxBodyBytes: 2 * BYTES } }).post(
      '/',
      { in: { value: body(schema) } },
      () => 'taken',
    );
    await using server = await serve(app);
    const response = await server.post('/', value);
    const text = await response.text();
    expect([200, 422]).toContain(response.status);
    if (response.status === 200) return;
    const { errors } = JSON.parse(text) as { errors: unknown[] };
    expect(errors.length).toBeGreaterThan(0);
    expect(errors.length).toBeLessThanOrEqual(20);
    expect(text.length).toBeLessThan(1_000_000); // `const` and `enum` repeat their schema
  });
});

describe('uniqueItems', () => {
  const check = compileCheck({ type: 'array', uniqueItems: true }, 'body', '');
  const faults = (value: unknown) => {
    const findings: Findings = { issues: undefined };
    check(findings, value);
    return findings.issues?.map(({ message }) => message) ?? [];
  };

  it.each([
    [[1, '1', null, 'null', true, 'true', [], '[]', {}, '{}', 'json {}', 'text 1']],
    [[{ a: 1 }, { a: 2 }, { b: 1 }]],
    [[]],
  ])('lets %j pass', (value) => {
    expect(faults(value)).toEqual([]);
  });

  it.each([
    [[1, 2, 1]],
    [
      [
        { a: 1, b: { c: 1, d: 2 } },
        { b: { d: 2, c: 1 }, a: 1 },
      ],
    ],
    [[[1], [1]]],
    [[0, -0]],
  ])('refuses %j', (value) => {
    expect(faults(value)).toEqual(['must not have duplicate items']);
  });

  it('looks at each item once', () => {
    const work = (count: number): number => {
      let reads = 0;
      const counted = Array.from({ length: count }, () => ({
        get same() {
          reads += 1;
          return 1;
        },
      }));
      faults(counted.map((item, i) => Object.assign(item, { i })));
      return reads;
    };
    expect(work(2000)).toBeLessThanOrEqual(2 * work(1000));
  });
});

describe('mayBacktrack', () => {
  it.each(['^[a-z]+$', '^a{2}b{3}$', '^\\d{3}-\\d+$', '^x[^/]*$', /^\w+$/])('trusts %s', (safe) => {
    expect(mayBacktrack(safe)).toBe(false);
  });
  it.each(['a+$', '^(a+)+$', '^(a|a)*$', '^a*b*$', '^.*.*$', '^(?:a{1,9}){9}', '^a|b+c'])(
    'does not trust %s',
    (risky) => {
      expect(mayBacktrack(risky)).toBe(true);
    },
  );
});

describe('a query with a pattern that backtracks', () => {
  it('is refused, in the list of a union too', async () => {
    const Evil = Type.String({ pattern: '^(a+)+$' });
    const app = createApp(QUIET)
      .get('/', { in: { q: query('q', Evil) } }, () => 'taken')
      .get(
        '/list',
        { in: { q: query('q', Type.Array(Type.Union([Evil, Type.Null()]))) } },
        () => 'taken',
      );
    await using server = await serve(app);
    const evil = `q=${'a'.repeat(40)}!`;
    const { errors } = (await (await server.fetch(`/?${evil}`)).json()) as { errors: unknown[] };
    expect(errors).toEqual([
      { source: 'query', pointer: '/q', message: 'takes too long to check' },
    ]);
    const many = Array.from({ length: 100 }, () => evil).join('&');
    expect((await server.fetch(`/list?${many}`)).status).toBe(422);
  });
});
