import { describe, expect, it } from 'vitest';
import { Quarantine } from '../src/lifecycle.ts';

describe('Quarantine', () => {
  it('lets in one at a time', () => {
    const quarantine = new Quarantine();
    expect(quarantine.enter('a', 0)).toBe(0);
    expect(quarantine.enter('b', 1)).toBeGreaterThan(0);
    quarantine.leave('b'); // which is not inside
    expect(quarantine.enter('c', 2)).toBeGreaterThan(0);
    quarantine.leave('a');
    expect(quarantine.enter('b', 3)).toBe(0);
  });

  it('lets the others ask the less often, the longer the one inside takes', () => {
    const quarantine = new Quarantine();
    quarantine.enter('a', 0);
    expect([1, 20, 300, 4999, 1_000_000].map((now) => quarantine.enter('b', now))).toEqual([
      20, 20, 300, 4999, 5000,
    ]);
  });
});
