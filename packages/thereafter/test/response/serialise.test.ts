import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { compileSerialiser } from '../../src/response/serialise.ts';

describe('a serialiser', () => {
  it('sends only what the schema names, nested and in arrays', () => {
    const serialise = compileSerialiser(
      Type.Object({
        name: Type.String(),
        friends: Type.Array(Type.Object({ name: Type.String() })),
        note: Type.Optional(Type.String()),
      }),
    );
    const value = {
      name: 'Ada',
      hash: 'secret',
      friends: [{ name: 'Bob', hash: 'secret' }],
    };
    expect(JSON.parse(serialise(value, 200))).toEqual({ name: 'Ada', friends: [{ name: 'Bob' }] });
    expect(value.friends[0]).toHaveProperty('hash'); // the handler's value is left alone
  });

  it.each([
    ['a union', Type.Union([Type.Object({ a: Type.Integer() }), Type.Null()]), { a: 1, hash: 'x' }],
    [
      'an intersection',
      Type.Intersect([Type.Object({ a: Type.Integer() }), Type.Object({})]),
      { a: 1, hash: 'x' },
    ],
  ])('hides fields behind %s too, and leaves the value alone', (_, schema, part) => {
    const value = { part };
    const sent = compileSerialiser(Type.Object({ part: schema }))(value, 200);
    expect(JSON.parse(sent)).toEqual({ part: { a: 1 } });
    expect(value.part).toHaveProperty('hash');
  });

  it('hides fields of the values of a record', () => {
    const schema = Type.Record(Type.String(), Type.Object({ a: Type.Integer() }));
    const sent = compileSerialiser(schema)({ one: { a: 1, hash: 'x' } }, 200);
    expect(JSON.parse(sent)).toEqual({ one: { a: 1 } });
  });

  it('writes what JSON.stringify would, for values that fit and values that do not', () => {
    const part = Type.Object({
      text: Type.String(),
      count: Type.Number(),
      flag: Type.Boolean(),
      list: Type.Array(Type.String()),
    });
    const oddities = [
      'plain',
      'quote " backslash \\ newline \n nul \0 del \u007f line \u2028',
      '\ud83d\ude00 and half a pair \ud83d',
      'long '.repeat(20),
      `long and odd ${'x'.repeat(50)}"\n`,
      0,
      -0,
      1e21,
      1.5,
      NaN,
      Infinity,
      true,
      null,
      undefined,
      ['a', undefined, null, 1, () => 1],
      [],
      new Date(0),
      () => 1,
      Symbol('s'),
    ];
    const serialise = compileSerialiser(part);
    for (const odd of oddities) {
      const value = { text: odd, count: odd, flag: odd, list: odd };
      expect(serialise(value, 200)).toBe(JSON.stringify(value));
    }
  });

  it('filters what toJSON gives', () => {
    const value = { toJSON: () => ({ a: 1, hash: 'secret' }) };
    expect(compileSerialiser(Type.Object({ a: Type.Integer() }))(value, 200)).toBe('{"a":1}');
  });

  it('sends what it is given without a schema', () => {
    expect(compileSerialiser(undefined)({ a: 1 }, 200)).toBe('{"a":1}');
  });
});
