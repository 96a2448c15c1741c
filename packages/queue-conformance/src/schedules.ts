import { describe, expect, it } from 'vitest';
import type { JobDriver } from '@thereafter/queue/driver';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, task, until, untilAborted, type Rig } from './driver-under-test.ts';

const EVERY_SECOND = '*/1 * * * * *';
/** A full hour. */
const START_MS = Date.UTC(2030, 0, 1, 12);

export function describeSchedules(rig: Rig): void {
  describe('schedules', () => {
    it('make one job for each tick, which knows for which', async () => {
      const clock = new ManualClock(START_MS);
      const ticks = new Arrivals<Date>();
      const tick = task('tick', (_, job) => ticks.add(job.scheduledFor!), { cron: EVERY_SECOND });
      const { jobs, driver } = await rig.open([tick], { clock });
      const expected: Date[] = [];
      for (let n = 1; n <= 3; n++) {
        clock.advance(999);
        expect(await jobs.counts()).toMatchObject({ completed: n - 1, available: 0, running: 0 });
        clock.advance(1);
        expected.push(new Date(START_MS + n * 1000));
        expect(await ticks.reach(n)).toEqual(expected);
        await stored(driver, clock.now());
        await jobs.wait(`tick@${clock.now()}`);
      }
      const last = await jobs.get(`tick@${ticks.all[2]!.getTime()}`);
      expect(last).toMatchObject({ task: 'tick', payload: {}, scheduledFor: ticks.all[2] });
    });

    it.runIf(rig.driver.sharesPlace)(
      'make one job for each tick with three schedulers',
      async () => {
        const place = await rig.place();
        const ticks = new Arrivals<Date>();
        const tick = task('tick', (_, job) => ticks.add(job.scheduledFor!), { cron: EVERY_SECOND });
        const clock = new ManualClock(START_MS);
        const [first] = await Promise.all([1, 2, 3].map(() => rig.open([tick], { place, clock })));
        const expected: Date[] = [];
        for (let n = 1; n <= 4; n++) {
          clock.advance(1000);
          expected.push(new Date(clock.now()));
          expect(await ticks.reach(n)).toEqual(expected);
          await stored(first!.driver, clock.now());
        }
      },
    );

    it.runIf(rig.driver.sharesPlace)(
      'are stored once when five processes start at once',
      async () => {
        const place = await rig.place();
        const tasks = ['a', 'b', 'c'].map((name) => task(name, () => 1, { cron: '0 3 * * *' }));
        const opened = await Promise.all([1, 2, 3, 4, 5].map(() => rig.open(tasks, { place })));
        for (const { driver } of opened) {
          expect((await driver.schedules()).map(({ key }) => key).toSorted()).toEqual([
            'a',
            'b',
            'c',
          ]);
        }
      },
    );

    it('follow the program: changed, removed and added again', async () => {
      const place = await rig.place();
      const ticks = new Arrivals();
      const at = (cron: string | undefined, timeZone = 'UTC') =>
        task('tick', () => ticks.add(0), cron === undefined ? {} : { cron, timeZone });
      const stored = async (cron: string | undefined, timeZone?: string): Promise<unknown> => {
        const opened = await rig.open([at(cron, timeZone)], { place });
        const schedules = (await opened.driver.schedules()).map((schedule) => ({
          cron: schedule.cron,
          timeZone: schedule.timeZone,
        }));
        await opened.close();
        return schedules;
      };
      expect(await stored('0 3 * * *')).toEqual([{ cron: '0 3 * * *', timeZone: 'UTC' }]);
      expect(await stored('0 4 * * *', 'Europe/Berlin')).toEqual([
        { cron: '0 4 * * *', timeZone: 'Europe/Berlin' },
      ]);
      expect(await stored(undefined)).toEqual([]);
      const clock = new ManualClock();
      const { driver } = await rig.open([at(EVERY_SECOND)], { place, clock });
      expect(await driver.schedules()).toMatchObject([{ cron: EVERY_SECOND }]);
      clock.advance(1000);
      await ticks.reach(1);
    });

    it('leave those of a program alone that runs no jobs', async () => {
      const place = await rig.place();
      const tick = task('tick', () => 1, { cron: '0 3 * * *' });
      await (await rig.open([tick], { place })).close();
      const { driver } = await rig.open([task('another', () => 1)], { place, worker: false });
      expect(await driver.schedules()).toHaveLength(1);
    });

    it.each([
      ['skip', 5, 0],
      ['once', 5, 1],
      ['all', 5, 5],
      ['all', 250, 100],
    ] as const)(
      'make up for missed ticks as the policy says: %s, %i missed',
      async (policy, missed, made) => {
        const place = await rig.place();
        const clock = new ManualClock(START_MS + 1_800_000); // half an hour away from the next tick
        const cron = '0 * * * *';
        const before = await rig.open([task('another', () => 1)], { place, clock, worker: false });
        await before.driver.putSchedule({
          key: 'tick',
          cron,
          timeZone: 'UTC',
          task: 'tick',
          lastTickMs: clock.now() - missed * 3_600_000,
        });
        await before.close();
        const ticks: Date[] = [];
        const tick = task('tick', (_, job) => void ticks.push(job.scheduledFor!), {
          cron,
          missedRuns: policy,
        });
        const marker = task('marker', () => undefined);
        const { jobs, driver } = await rig.open([tick, marker], { place, clock });
        await until(
          () => jobs.counts('default'),
          (counts) => counts.completed === made,
        );
        await jobs.wait((await jobs.enqueue(marker, {})).id);
        expect(ticks).toHaveLength(made);
        // The latest are made up for.
        expect(ticks.map((date) => date.getTime()).toSorted((a, b) => b - a)).toEqual(
          Array.from({ length: made }, (_, n) => START_MS - n * 3_600_000),
        );
        expect(await driver.schedules()).toMatchObject([{ lastTickMs: START_MS }]);
      },
    );

    it('make no job while the one before has not ended, with overlap skip', async () => {
      const clock = new ManualClock(START_MS);
      const beats = new Arrivals();
      const starts = new Arrivals<Date>();
      const slow = task('slow', (_, job) => (starts.add(job.scheduledFor!), untilAborted(job)), {
        cron: EVERY_SECOND,
        overlap: 'skip',
        attempts: 1,
      });
      const beat = task('beat', () => beats.add(0), { cron: EVERY_SECOND, queue: 'beat' });
      const { jobs, driver } = await rig.open([slow, beat], { clock });
      for (let n = 1; n <= 3; n++) {
        clock.advance(1000);
        await beats.reach(n);
        await stored(driver, clock.now());
      }
      expect(starts.all).toEqual([new Date(START_MS + 1000)]);
      expect((await jobs.counts('default')).running).toBe(1);
      const [first] = starts.all;
      await jobs.cancel(`slow@${first!.getTime()}`);
      if (rig.can('cancelRunning')) {
        await jobs.wait(`slow@${first!.getTime()}`); // the place is free for the next tick
        clock.advance(1000);
        await starts.reach(2);
        await jobs.cancel(`slow@${clock.now()}`);
      }
    });
  });
}

/** Waits until the tick of a time is stored for every schedule, which then waits for its next. */
async function stored(driver: JobDriver, tickMs: number): Promise<void> {
  await until(
    () => driver.schedules(),
    (all) => all.every(({ lastTickMs }) => lastTickMs >= tickMs),
  );
  await new Promise(setImmediate);
}
