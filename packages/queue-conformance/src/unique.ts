import { describe, expect, it } from 'vitest';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, newJob, task, until, untilAborted, type Rig } from './driver-under-test.ts';

export function describeUnique(rig: Rig): void {
  describe('a unique key', () => {
    it('has one job while that is scheduled, available or running', async () => {
      const begun = new Arrivals();
      const finish: (() => void)[] = [];
      const one = task('one', async () => {
        begun.add(0);
        await new Promise<void>((resolve) => finish.push(resolve));
      });
      const clock = new ManualClock();
      const { jobs } = await rig.open([one], { clock });
      const options = { unique: 'k' };
      const { id } = await jobs.enqueue(one, 1, { ...options, delay: '1h' });
      expect(await jobs.enqueue(one, 2, options)).toMatchObject({ id, payload: 1 });
      clock.advance(3_600_000);
      await begun.reach(1);
      expect(await jobs.enqueue(one, 3, options)).toMatchObject({ id, state: 'running' });
      expect((await jobs.enqueue(one, 4, { unique: 'another' })).id).not.toBe(id);
      await begun.reach(2);
      for (const end of finish) end();
      await jobs.wait(id);
    });

    it('is taken by exactly one of fifty that come at once', async () => {
      const noop = task('noop', () => undefined);
      const { jobs, driver } = await rig.open([noop], { worker: false });
      const all = await Promise.all(
        Array.from({ length: 50 }, (_, n) => jobs.enqueue(noop, n, { unique: 'k' })),
      );
      expect(new Set(all.map(({ id }) => id)).size).toBe(1);
      expect((await driver.counts('default')).available).toBe(1);
    });

    it('holds over queues and within one call', async () => {
      const noop = task('noop', () => undefined);
      const { driver } = await rig.open([noop], { worker: false });
      const stored = await driver.enqueue([
        newJob('a', { uniqueKey: 'k' }),
        newJob('b', { uniqueKey: 'k' }),
      ]);
      expect(stored).toMatchObject([
        { id: 'a', duplicate: false },
        { id: 'a', duplicate: true },
      ]);
      const [other] = await driver.enqueue([newJob('c', { uniqueKey: 'k', queue: 'other' })]);
      expect(other).toMatchObject({ id: 'a', duplicate: true });
    });

    it('is free once its job has completed, failed or been cancelled', async () => {
      const good = task('good', () => undefined, { unique: () => 'k' });
      const bad = task('bad', () => Promise.reject(new Error('no')), { attempts: 1 });
      const { jobs } = await rig.open([good, bad]);
      const first = await jobs.enqueue(good, {});
      await jobs.wait(first.id);
      const second = await jobs.enqueue(good, {}, { delay: '1h' });
      expect(second.id).not.toBe(first.id);
      expect(await jobs.cancel(second.id)).toBe(true);
      const third = await jobs.enqueue(good, {});
      expect(third.id).not.toBe(second.id);
      const failed = await jobs.enqueue(bad, {}, { unique: 'b' });
      await jobs.wait(failed.id);
      expect((await jobs.enqueue(bad, {}, { unique: 'b' })).id).not.toBe(failed.id);
    });

    it('stays taken between attempts', async () => {
      const fail = task('fail', () => Promise.reject(new Error('no')), {
        unique: () => 'k',
        backoff: { type: 'fixed', delay: '1h' },
      });
      const { jobs } = await rig.open([fail]);
      const { id } = await jobs.enqueue(fail, {});
      await until(
        () => jobs.get(id),
        ({ state, attempt }) => state === 'scheduled' && attempt === 1,
      );
      expect((await jobs.enqueue(fail, {})).id).toBe(id);
    });

    it('is not taken from its new job when an old one is retried', async () => {
      const begun = new Arrivals();
      const slow = task('slow', (_, job) => (begun.add(0), untilAborted(job)));
      const bad = task('bad', () => Promise.reject(new Error('no')), { attempts: 1 });
      const { jobs, driver } = await rig.open([slow, bad], { worker: false });
      await driver.enqueue([newJob('old', { uniqueKey: 'k' })]);
      await driver.cancel('old');
      await driver.enqueue([newJob('new', { uniqueKey: 'k' })]);
      expect(await jobs.retry('old')).toBe(false);
      await driver.cancel('new');
      expect(await jobs.retry('old')).toBe(true);
    });

    it.runIf(rig.can('uniquePeriod'))(
      'stays taken for its period, even if its job has ended',
      async () => {
        const noop = task('noop', () => undefined, { unique: () => 'k', uniqueFor: '400ms' });
        const clock = new ManualClock();
        const { jobs } = await rig.open([noop], { clock });
        const { id } = await jobs.enqueue(noop, {});
        await jobs.wait(id);
        clock.advance(399);
        expect((await jobs.enqueue(noop, {})).id).toBe(id);
        clock.advance(1);
        expect((await jobs.enqueue(noop, {})).id).not.toBe(id);
      },
    );
  });
}
