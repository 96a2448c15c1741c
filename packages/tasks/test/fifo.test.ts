import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../src/fifo.ts';

describe('Fifo', () => {
  it('gives what an array gives, in whatever order things come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        const fifo = new Fifo<{ readonly id: number }>();
        const model: { readonly id: number }[] = [];
        for (const [id, isPush] of steps.entries()) {
          if (isPush) {
            fifo.push({ id });
            model.push({ id });
          } else {
            expect(fifo.shift()).toEqual(model.shift());
          }
          expect(fifo.first).toEqual(model[0]);
          expect(fifo.count(({ id: each }) => each % 2 === 0)).toBe(
            model.filter(({ id: each }) => each % 2 === 0).length,
          );
        }
      }),
    );
  });
});
