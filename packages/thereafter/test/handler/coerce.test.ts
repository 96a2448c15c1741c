import fc from 'fast-check';
import { Type, type TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { compileCoercer } from '../../src/handler/coerce.ts';

function read(schema: TSchema, raw: string | string[]): unknown {
  return compileCoercer(schema)(raw);
}

describe('the coercer', () => {
  it.each(['0', '-7', '12', '9007199254740991'])('reads the integer %s', (text) => {
    expect(read(Type.Integer(), text)).toBe(Number(text));
  });

  it.each(['', ' 12', '12abc', '1e3', '0x10', '007', '1.5', '9007199254740993', 'true'])(
    'leaves %j as it is where an integer is wanted',
    (text) => {
      expect(read(Type.Integer(), text)).toBe(text);
    },
  );

  it('reads decimals, and no infinity', () => {
    expect(read(Type.Number(), '-1.50')).toBe(-1.5);
    expect(read(Type.Number(), 'Infinity')).toBe('Infinity');
    expect(read(Type.Number(), '1.')).toBe('1.');
  });

  it('reads true and false, and nothing else as a boolean', () => {
    expect(read(Type.Boolean(), 'true')).toBe(true);
    expect(read(Type.Boolean(), 'false')).toBe(false);
    expect(read(Type.Boolean(), '1')).toBe('1');
  });

  it('makes one value a list, and reads each item', () => {
    expect(read(Type.Array(Type.Integer()), '1')).toEqual([1]);
    expect(read(Type.Array(Type.Integer()), ['1', 'x'])).toEqual([1, 'x']);
  });

  it('takes the first alternative that fits', () => {
    const schema = Type.Union([Type.Integer(), Type.Boolean(), Type.Literal('all')]);
    expect(read(schema, '3')).toBe(3);
    expect(read(schema, 'false')).toBe(false);
    expect(read(schema, 'all')).toBe('all');
    expect(read(schema, 'none')).toBe('none');
  });

  it('reads enums and literals that are no text', () => {
    expect(read(Type.Enum([1, 2, 'x']), '2')).toBe(2);
    expect(read(Type.Literal(5), '5')).toBe(5);
    expect(read(Type.Literal(5), '6')).toBe('6');
  });

  it('reads each place of a tuple by its own schema', () => {
    const Pair = Type.Tuple([Type.Integer(), Type.Boolean()]);
    expect(read(Pair, ['1', 'true'])).toEqual([1, true]);
    expect(read(Pair, ['1', 'true', 'more'])).toEqual([1, true, 'more']);
  });

  it('reads null where that is an alternative, and nothing else as null', () => {
    const Nullable = Type.Union([Type.Integer(), Type.Null()]);
    expect(read(Nullable, 'null')).toBe(null);
    expect(read(Nullable, '')).toBe('');
    expect(read({ type: ['integer', 'null'] } as TSchema, '3')).toBe(3);
    expect(read({ type: ['integer', 'null'] } as TSchema, 'null')).toBe(null);
  });

  it('reads an intersection by the part that wants no text', () => {
    const Both = Type.Intersect([Type.Integer(), Type.Integer({ minimum: 1 })]);
    expect(read(Both, '3')).toBe(3);
  });
});

/** A schema, and values that it allows. */
const typed: fc.Arbitrary<[TSchema, fc.Arbitrary<unknown>]> = fc.constantFrom<
  [TSchema, fc.Arbitrary<unknown>]
>(
  [Type.Integer(), fc.maxSafeInteger()],
  [Type.Number(), fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e20, max: 1e20 })],
  [Type.Boolean(), fc.boolean()],
  [Type.Null(), fc.constant(null)],
  [Type.Literal(7), fc.constant(7)],
  [Type.Enum(['a', 'b', 3]), fc.constantFrom('a', 'b', 3)],
  [Type.String({ maxLength: 5 }), fc.string({ maxLength: 5 })],
);

/** One schema, or a choice of two. */
const schemas = fc.oneof(
  typed,
  fc
    .tuple(typed, typed)
    .map(([[a, values], [b]]): [TSchema, fc.Arbitrary<unknown>] => [Type.Union([a, b]), values]),
);

describe('the coercer and the check of a schema', () => {
  it('agree on what was written as text, in lists too', () => {
    fc.assert(
      fc.property(
        schemas.chain(([schema, values]) =>
          fc.tuple(fc.constant(schema), fc.array(values, { minLength: 1, maxLength: 3 })),
        ),
        ([schema, values]) => {
          // Exponents are refused, and no text is of one type only where a union allows both.
          const texts = values.map(String).filter((text) => !/\de/.test(text));
          for (const text of texts) {
            const value = read(schema, text);
            expect(Check(schema, value)).toBe(true);
            expect(String(value)).toBe(text);
          }
          const list = read(Type.Array(schema), texts);
          expect(list).toEqual(texts.map((text) => read(schema, text)));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('make of any text a value that says the same, or leave it for the check to refuse', () => {
    const text = fc.oneof(
      fc.string({
        unit: fc.constantFrom(...'0123456789-+.eExX _truefalsn'.split('')),
        maxLength: 6,
      }),
      fc.constantFrom('true', 'false', 'null', '007', '1.50', ' 1', '1e3', '0x10', '-0', 'NaN'),
    );
    fc.assert(
      fc.property(schemas, text, ([schema], given) => {
        const value = read(schema, given);
        const isNumeral = /^-?(0|[1-9]\d*)(\.\d+)?$/.test(given);
        expect(typeof value !== 'number' || isNumeral).toBe(true);
        expect(typeof value === 'number' ? value : String(value)).toBe(
          typeof value === 'number' ? Number(given) : given,
        );
      }),
      { numRuns: 5000 },
    );
  });
});
