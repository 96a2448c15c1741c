import type { TaskOptions } from '@thereafter/tasks';
import { describe, expect, it } from 'vitest';
import { retryAfterOf, toBackoff } from '../src/backoff.ts';

const waits = (option: TaskOptions['backoff'], attempts: readonly number[], random = 0): number[] =>
  attempts.map((attempt) => toBackoff(option)(attempt, undefined, random));

describe('a backoff', () => {
  it('doubles from a second to an hour by default, a fifth of it by chance', () => {
    expect(waits(undefined, [1, 2, 3, 8, 12, 13, 500])).toEqual([
      1000, 2000, 4000, 128_000, 2_048_000, 3_600_000, 3_600_000,
    ]);
    expect(waits('exponential', [1, 2, 3], 1)).toEqual([800, 1600, 3200]);
    expect(waits('exponential', [1], 0.5)).toEqual([900]);
  });

  it('is five seconds each time when fixed', () => {
    expect(waits('fixed', [1, 2, 30], 0.9)).toEqual([5000, 5000, 5000]);
  });

  it('takes a delay, a longest wait and a share of chance', () => {
    const fixed = { type: 'fixed', delay: '2s', jitter: 0.5 } as const;
    expect(waits(fixed, [1, 9])).toEqual([2000, 2000]);
    expect(waits(fixed, [1, 9], 0.5)).toEqual([1500, 1500]);
    const growing = { type: 'exponential', delay: '10ms', max: '50ms', jitter: 1 } as const;
    expect(waits(growing, [1, 2, 3, 4])).toEqual([10, 20, 40, 50]);
    expect(waits(growing, [1, 2, 3, 4], 0.5)).toEqual([5, 10, 20, 25]);
    expect(waits({ type: 'fixed', delay: '2h' }, [1])).toEqual([3_600_000]);
  });

  it('can be a function of the attempt and its error', () => {
    const backoff = toBackoff((attempt, error) => `${attempt + (error as number)}s`);
    expect(backoff(2, 40, 0)).toBe(42_000);
  });

  it('refuses a jitter that is no share, and what is no duration', () => {
    const option = { type: 'fixed', delay: '1s' } as const;
    for (const jitter of [-0.1, 1.1, NaN]) {
      expect(() => toBackoff({ ...option, jitter })).toThrow('a share from 0 to 1');
    }
    expect(() => toBackoff({ type: 'fixed', delay: 'soon' as '1s' })).toThrow('not a duration');
  });
});

describe('the wait that an error asks for', () => {
  it('is in milliseconds or in seconds', () => {
    expect(retryAfterOf({ retryAfterMs: 1500, retryAfterSeconds: 9 })).toBe(1500);
    expect(retryAfterOf({ retryAfterSeconds: 2 })).toBe(2000);
    expect(retryAfterOf({ retryAfterMs: 0 })).toBe(0);
  });

  it('is none when it is no time to wait', () => {
    for (const error of [undefined, null, 'x', {}, { retryAfterMs: -1 }, { retryAfterMs: '5' }]) {
      expect(retryAfterOf(error)).toBeUndefined();
    }
    expect(retryAfterOf({ retryAfterMs: NaN })).toBeUndefined();
    expect(retryAfterOf({ retryAfterSeconds: Infinity })).toBeUndefined();
  });
});
