import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePairs } from '../../src/handler/pairs.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 8 });
const name = fc.oneof(text, fc.constantFrom('a', '__proto__', 'constructor', 'toString', 'a[b]'));

describe('the reader of query strings and forms', () => {
  it('gives back what was written, whatever it is', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { maxLength: 12 }), (pairs) => {
        const read = parsePairs(new URLSearchParams(pairs).toString(), 1000, 'query string');
        const names = new Set(pairs.map(([key]) => key));
        expect(new Set(Object.keys(read))).toEqual(names);
        for (const key of names) {
          const values = pairs.filter(([other]) => other === key).map(([, value]) => value);
          expect(read[key]).toEqual(values.length === 1 ? values[0] : values);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('reads any text, or refuses broken percent-encoding as a bad request', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'a=&+%2;f\0é'.split('')) }), (given) => {
        expect(outcome(() => parsePairs(given, 1000, 'query string'))).toBe(
          outcome(() => decodeURIComponent(given)) === 'read' ? 'read' : 'BadRequest',
        );
      }),
      { numRuns: 2000 },
    );
  });
});

function outcome(run: () => unknown): string {
  try {
    run();
    return 'read';
  } catch (error) {
    return (error as Error).name;
  }
}
