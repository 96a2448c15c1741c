import { describe, expect, it } from 'vitest';
import { parameterNames } from '../src/metadata.ts';

describe('parameterNames', () => {
  it('reads those of a constructor', () => {
    class Target {
      constructor(
        readonly a: string,
        b = ', c) {', // a default that looks like the end is beyond it
        ...rest: unknown[]
      ) {
        void [b, rest];
      }
    }
    expect(parameterNames(Target, undefined)[0]).toBe('a');
    class Simple {
      constructor(
        /* the first, (really) */ readonly first: string,
        readonly second = [1, { two: 2 }],
        ...rest: unknown[]
      ) {
        void rest;
      }
    }
    expect(parameterNames(Simple, undefined)).toEqual(['first', 'second', 'rest']);
  });

  it('reads those of a method', () => {
    class Target {
      async act(one: string, { two }: { two: number }) {
        return [one, two];
      }
    }
    expect(parameterNames(Target.prototype, 'act')).toEqual(['one', undefined]);
  });

  it('knows none of a class without a constructor, or of what is no function', () => {
    expect(parameterNames(class {}, undefined)).toEqual([]);
    expect(parameterNames({ act: 1 }, 'act')).toEqual([]);
  });
});
