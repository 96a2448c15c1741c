import { describe, expect, it } from 'vitest';
import { JOB_STATES } from '@thereafter/queue/driver';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, task, until, type Rig } from './driver-under-test.ts';

export function describeRetention(rig: Rig): void {
  describe('what has ended', () => {
    it('is forgotten when its time is over, and not before', async () => {
      const clock = new ManualClock();
      const good = task('good', () => undefined);
      const bad = task('bad', () => Promise.reject(new Error('no')), { attempts: 1 });
      const { jobs } = await rig.open([good, bad], {
        clock,
        keep: { completed: '1h', failed: '3h', cancelled: '2h' },
      });
      const completed = await jobs.wait((await jobs.enqueue(good, {})).id);
      const failed = await jobs.wait((await jobs.enqueue(bad, {})).id);
      const cancelled = await jobs.enqueue(good, {}, { delay: '1d' });
      await jobs.cancel(cancelled.id);
      const waiting = await jobs.enqueue(good, {}, { delay: '1d' });
      const left = async (): Promise<string[]> => {
        const known = await Promise.all(
          [completed, failed, cancelled, waiting].map(({ id }) => jobs.get(id)),
        );
        return known.filter((job) => job !== undefined).map(({ state }) => state);
      };
      const all = ['completed', 'failed', 'cancelled', 'scheduled'];
      clock.advance(3_590_000);
      await new Promise(setImmediate);
      expect(await left()).toEqual(all);
      for (const gone of [1, 2, 3]) {
        clock.advance(gone === 1 ? 20_000 : 3_600_000);
        const expected = all.filter(
          (state) =>
            state === 'scheduled' ||
            (state === 'cancelled' && gone < 2) ||
            (state === 'failed' && gone < 3),
        );
        await until(left, (states) => states.length === expected.length);
        expect(await left()).toEqual(expected);
      }
    });
  });

  describe('counts and lists', () => {
    it('agree with one another at rest', async () => {
      const good = task('good', () => undefined);
      const bad = task('bad', () => Promise.reject(new Error('no')), { attempts: 1, queue: 'bad' });
      const { jobs } = await rig.open([good, bad]);
      const ended = [
        ...(await jobs.enqueueMany(good, [1, 2, 3])),
        ...(await jobs.enqueueMany(bad, [1, 2])),
      ];
      await Promise.all(ended.map(({ id }) => jobs.wait(id)));
      await jobs.enqueueMany(good, [1, 2], { delay: '1h' });
      await jobs.cancel((await jobs.enqueue(good, 0, { delay: '1h' })).id);
      expect(await jobs.counts('default')).toEqual({
        scheduled: 2,
        available: 0,
        running: 0,
        completed: 3,
        failed: 0,
        cancelled: 1,
      });
      expect(await jobs.counts()).toMatchObject({ completed: 3, failed: 2 });
      expect((await jobs.queues()).map(({ name }) => name)).toEqual(['bad', 'default']);
    });

    it('sum up to what was enqueued, while jobs run', async () => {
      const started = new Arrivals();
      const yielding = task('yielding', async () => {
        started.add(0);
        await new Promise(setImmediate);
      });
      const { jobs } = await rig.open([yielding]);
      const all = await jobs.enqueueMany(yielding, Array.from({ length: 500 }).fill(null));
      const sums: number[] = [];
      while (started.all.length < 500) {
        const counts = await jobs.counts('default');
        sums.push(JOB_STATES.reduce((sum, state) => sum + counts[state], 0));
        await new Promise(setImmediate);
      }
      await Promise.all(all.map(({ id }) => jobs.wait(id)));
      expect(new Set(sums)).toEqual(new Set([500]));
      expect((await jobs.counts('default')).completed).toBe(500);
    });

    it.runIf(rig.can('list'))('show every job once, page by page, the newest first', async () => {
      const good = task('good', () => undefined);
      const other = task('other', () => undefined, { queue: 'other' });
      const { jobs } = await rig.open([good, other]);
      const ids: string[] = [];
      for (let n = 0; n < 7; n++) ids.push((await jobs.enqueue(good, n, { delay: '1h' })).id);
      const done = await jobs.wait((await jobs.enqueue(other, 7)).id);

      const seen: string[] = [];
      let after: string | undefined;
      do {
        const page = await jobs.list({
          queue: 'default',
          limit: 3,
          ...(after === undefined ? {} : { after }),
        });
        expect(page.length).toBeLessThanOrEqual(3);
        seen.push(...page.map(({ id }) => id));
        after = page.next;
      } while (after !== undefined);
      expect(seen).toEqual(ids.toReversed());

      expect((await jobs.list({ task: 'other' })).map(({ id }) => id)).toEqual([done.id]);
      expect((await jobs.list({ state: 'completed' })).map(({ id }) => id)).toEqual([done.id]);
      expect(await jobs.list({ state: 'failed' })).toHaveLength(0);
      expect(new Set((await jobs.list()).map(({ id }) => id))).toEqual(new Set([...ids, done.id]));
    });
  });
}
