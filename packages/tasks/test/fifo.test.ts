import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../src/fifo.ts';

describe('Fifo', () => {
  it('gives what an array gives, in whatever order things come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        const fifo = new Fifo<{ readonly id: number }>();
        const model: { readonly id: number }[] = [];
        const isEven = ({ id }: { readonly id: number }): boolean => id % 2 === 0;
        const seen: unknown[] = [];
        const expected: unknown[] = [];
        for (const [id, isPush] of steps.entries()) {
          seen.push(isPush ? fifo.push({ id }) : fifo.shift(), fifo.first, fifo.count(isEven));
          const given = isPush ? void model.push({ id }) : model.shift();
          expected.push(given, model[0], model.filter(isEven).length);
        }
        expect(seen).toEqual(expected);
      }),
    );
  });
});
