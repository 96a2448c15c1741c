import { describe, expect, it } from 'vitest';
import { newJobId } from '../src/job-store.ts';

describe('newJobId', () => {
  it('is a UUID of version 7', () => {
    expect(newJobId(0x0123456789ab)).toMatch(
      /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it('sorts by time', () => {
    expect(newJobId(2_000) > newJobId(1_999)).toBe(true);
  });

  it('never gives one twice', () => {
    expect(new Set(Array.from({ length: 10_000 }, () => newJobId(1))).size).toBe(10_000);
  });
});
