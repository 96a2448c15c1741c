import { describe, expect, it } from 'vitest';
import { MAX_MISSED_RUNS, planCron } from '../src/schedule.ts';

const ms = (text: string): number => Date.parse(text);
const iso = (times: readonly number[]): string[] =>
  times.map((time) => new Date(time).toISOString());

describe('planCron', () => {
  it('knows the next tick after a time, in its time zone', () => {
    const berlin = planCron('t', '0 3 * * *', 'Europe/Berlin');
    expect(iso([berlin.next(ms('2026-01-10T02:00:00Z'))!])).toEqual(['2026-01-11T02:00:00.000Z']);
    expect(iso([berlin.next(ms('2026-07-10T00:59:59Z'))!])).toEqual(['2026-07-10T01:00:00.000Z']);
  });

  it('fires once in the night in which the clocks go forward, and once when they go back', () => {
    const nightly = planCron('t', '30 2 * * *', 'Europe/Berlin');
    const forward = nightly.between(ms('2026-03-28T12:00:00Z'), ms('2026-03-29T12:00:00Z'), 10);
    expect(forward).toHaveLength(1);
    const back = nightly.between(ms('2026-10-24T12:00:00Z'), ms('2026-10-25T12:00:00Z'), 10);
    expect(back).toHaveLength(1);
  });

  it('lists the ticks of a time without its start, and with its end', () => {
    const hourly = planCron('t', '0 * * * *', 'UTC');
    expect(iso(hourly.between(ms('2026-01-01T00:00:00Z'), ms('2026-01-01T03:00:00Z'), 10))).toEqual(
      ['2026-01-01T01:00:00.000Z', '2026-01-01T02:00:00.000Z', '2026-01-01T03:00:00.000Z'],
    );
    expect(hourly.between(ms('2026-01-01T00:00:00Z'), ms('2026-01-01T00:59:59.999Z'), 10)).toEqual(
      [],
    );
  });

  it('lists seconds whose end lies within one', () => {
    const each = planCron('t', '* * * * * *', 'UTC');
    const from = ms('2026-01-01T00:00:00Z');
    expect(each.between(from, from + 1999, 10)).toEqual([from + 1000]);
    expect(each.between(from, from + 2000, 10)).toEqual([from + 1000, from + 2000]);
    expect(each.between(from + 500, from + 1000, 10)).toEqual([from + 1000]);
  });

  it('gives the latest when there are more than wanted, at once even for a year of seconds', () => {
    const each = planCron('t', '* * * * * *', 'UTC');
    const from = ms('2026-01-01T00:00:00Z');
    const until = ms('2027-01-01T00:00:00Z');
    const ticks = each.between(from, until, MAX_MISSED_RUNS);
    expect(ticks).toHaveLength(100);
    expect([ticks[0], ticks[99]]).toEqual([until - 99_000, until]);
  });

  it('has no next tick when there is none', () => {
    expect(planCron('t', '0 0 30 2 *', 'UTC').next(0)).toBeUndefined();
  });

  it.each([
    ['every day', 'UTC'],
    ['61 * * * *', 'UTC'],
    ['* * * * * * 2027', 'UTC'],
    ['* * * *', 'UTC'],
    ['0 3 * * *', 'Middle/Earth'],
  ])('refuses cron %o, time zone %o', (cron, timeZone) => {
    expect(() => planCron('nightly', cron, timeZone)).toThrow(
      expect.objectContaining({
        code: 'JOB_SCHEDULE_INVALID',
        message: expect.stringContaining(`cron '${cron}', time zone '${timeZone}'`) as string,
      }),
    );
  });
});
