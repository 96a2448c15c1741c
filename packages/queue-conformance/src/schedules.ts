import { describe, expect, it } from 'vitest';
import { Arrivals, task, until, untilAborted, type Rig } from './driver-under-test.ts';

const EVERY_SECOND = '*/1 * * * * *';

export function describeSchedules(rig: Rig): void {
  describe('schedules', () => {
    it('make one job for each tick, which knows for which', async () => {
      const ticks = new Arrivals<Date>();
      const tick = task('tick', (_, job) => ticks.add(job.scheduledFor!), { cron: EVERY_SECOND });
      const { jobs } = await rig.open([tick]);
      await ticks.reach(3);
      expect(new Set(stepsOf(ticks.all))).toEqual(new Set([1000]));
      const lateMs = Date.now() - ticks.all[2]!.getTime();
      expect(lateMs).toBeGreaterThanOrEqual(0);
      expect(lateMs).toBeLessThan(900);
      const last = await jobs.get(`tick@${ticks.all[2]!.getTime()}`);
      expect(last).toMatchObject({ task: 'tick', payload: {}, scheduledFor: ticks.all[2] });
    });

    it.runIf(rig.driver.sharesPlace)(
      'make one job for each tick with three schedulers',
      async () => {
        const place = await rig.place();
        const ticks = new Arrivals<Date>();
        const tick = task('tick', (_, job) => ticks.add(job.scheduledFor!), { cron: EVERY_SECOND });
        await Promise.all([1, 2, 3].map(() => rig.open([tick], { place })));
        await ticks.reach(4);
        expect(new Set(stepsOf(ticks.all))).toEqual(new Set([1000]));
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
      const { driver } = await rig.open([at(EVERY_SECOND)], { place });
      expect(await driver.schedules()).toMatchObject([{ cron: EVERY_SECOND }]);
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
        // Half an hour away from the next tick.
        const cron = `${(new Date().getUTCMinutes() + 30) % 60} * * * *`;
        const before = await rig.open([task('another', () => 1)], { place, worker: false });
        await before.driver.putSchedule({
          key: 'tick',
          cron,
          timeZone: 'UTC',
          task: 'tick',
          lastTickMs: Date.now() - missed * 3_600_000,
        });
        await before.close();
        const ticks: Date[] = [];
        const tick = task('tick', (_, job) => void ticks.push(job.scheduledFor!), {
          cron,
          missedRuns: policy,
        });
        const marker = task('marker', () => undefined);
        const { jobs, driver } = await rig.open([tick, marker], { place });
        await until(
          () => jobs.counts('default'),
          (counts) => counts.completed === made,
        );
        await jobs.wait((await jobs.enqueue(marker, {})).id);
        expect(ticks).toHaveLength(made);
        const times = ticks.map((date) => date.getTime()).toSorted((a, b) => a - b);
        for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBe(3_600_000);
        // The latest are made up for.
        expect(times.filter((time) => Date.now() - time < 3_600_000)).toHaveLength(
          Math.min(made, 1),
        );
        expect(Date.now() - (await driver.schedules())[0]!.lastTickMs).toBeLessThan(3_600_000);
      },
    );

    it('make no job while the one before has not ended, with overlap skip', async () => {
      const beats = new Arrivals();
      const starts: Date[] = [];
      const slow = task('slow', (_, job) => (starts.push(job.scheduledFor!), untilAborted(job)), {
        cron: EVERY_SECOND,
        overlap: 'skip',
        attempts: 1,
      });
      const beat = task('beat', () => beats.add(0), { cron: EVERY_SECOND, queue: 'beat' });
      const { jobs } = await rig.open([slow, beat]);
      await beats.reach(3);
      expect(starts).toHaveLength(1);
      expect((await jobs.counts('default')).running).toBe(1);
      await jobs.cancel(`slow@${starts[0]!.getTime()}`);
      if (rig.can('cancelRunning')) {
        await until(
          async () => starts.length,
          (count) => count === 2,
        ); // free for the next tick
        await jobs.cancel(`slow@${starts[1]!.getTime()}`);
      }
    });
  });
}

/** The times between ticks, in milliseconds. */
function stepsOf(ticks: readonly Date[]): number[] {
  const times = ticks.map((tick) => tick.getTime()).toSorted((a, b) => a - b);
  return times.slice(1).map((time, i) => time - times[i]!);
}
