import { describe, expect, it } from 'vitest';
import { Snooze } from '@thereafter/queue';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, task, until, untilAborted, type Rig } from './driver-under-test.ts';

const HOUR_MS = 3_600_000;

export function describeControl(rig: Rig): void {
  describe.runIf(rig.can('snooze'))('snooze', () => {
    it('uses no attempt', async () => {
      const seen: number[] = [];
      const starts: number[] = [];
      const sleepy = task(
        'sleepy',
        (_, { attempt }) => {
          seen.push(attempt);
          starts.push(performance.now());
          if (seen.length <= 3) throw new Snooze('60ms');
          return 'awake';
        },
        { attempts: 1 },
      );
      const { jobs } = await rig.open([sleepy]);
      const job = await jobs.wait((await jobs.enqueue(sleepy, {})).id);
      expect(job).toMatchObject({ state: 'completed', result: 'awake', attempt: 1, errors: [] });
      expect(seen).toEqual([1, 1, 1, 1]);
      for (let i = 1; i < 4; i++) expect(starts[i]! - starts[i - 1]!).toBeGreaterThanOrEqual(55);
    });
  });

  describe('cancel', () => {
    it('ends a job that waits, which never runs', async () => {
      const ran = new Arrivals();
      const note = task('note', (payload) => ran.add(payload));
      const clock = new ManualClock();
      const { jobs } = await rig.open([note], { clock });
      const { id } = await jobs.enqueue(note, 'late', { delay: '1h' });
      expect(await jobs.cancel(id)).toBe(true);
      expect(await jobs.get(id)).toMatchObject({ state: 'cancelled', attempt: 0 });
      expect(await jobs.cancel(id)).toBe(false);
      expect(await jobs.cancel('no such job')).toBe(false);
      const after = await jobs.enqueue(note, 'after', { delay: '1h' });
      clock.advance(HOUR_MS);
      await jobs.wait(after.id);
      expect(ran.all).toEqual(['after']);
    });

    it.runIf(rig.can('cancelRunning'))(
      'aborts the signal of a running job, which then ends',
      async () => {
        const begun = new Arrivals();
        const reasons: unknown[] = [];
        const obedient = task('obedient', async (_, job) => {
          begun.add(0);
          await untilAborted(job).catch((error: unknown) => {
            reasons.push(error);
            throw error;
          });
        });
        const { jobs } = await rig.open([obedient]);
        const { id } = await jobs.enqueue(obedient, {});
        await begun.reach(1);
        expect(await jobs.cancel(id)).toBe(true);
        expect(await jobs.wait(id)).toMatchObject({ state: 'cancelled', attempt: 1, result: null });
        expect(reasons).toMatchObject([{ code: 'JOB_CANCELLED' }]);
      },
    );

    it.runIf(rig.can('cancelRunning'))(
      'lets a job complete that finishes all the same',
      async () => {
        const begun = new Arrivals();
        const stubborn = task('stubborn', async (_, { signal }) => {
          begun.add(0);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          return 'all the same';
        });
        const { jobs } = await rig.open([stubborn]);
        const { id } = await jobs.enqueue(stubborn, {});
        await begun.reach(1);
        await jobs.cancel(id);
        expect(await jobs.wait(id)).toMatchObject({ state: 'completed', result: 'all the same' });
      },
    );
  });

  describe('remove', () => {
    it('forgets a job, unless it runs', async () => {
      const begun = new Arrivals();
      let finish = (): void => undefined;
      const slow = task('slow', () => {
        begun.add(0);
        return new Promise<void>((resolve) => (finish = resolve));
      });
      const { jobs } = await rig.open([slow]);
      const waiting = await jobs.enqueue(slow, {}, { delay: '1h', unique: 'k' });
      expect(await jobs.remove(waiting.id)).toBe(true);
      expect(await jobs.get(waiting.id)).toBeUndefined();
      expect(await jobs.remove(waiting.id)).toBe(false);
      const { id } = await jobs.enqueue(slow, {}, { unique: 'k' });
      await begun.reach(1);
      expect(await jobs.remove(id)).toBe(false);
      finish();
      await jobs.wait(id);
      expect(await jobs.remove(id)).toBe(true);
      await expect(jobs.wait(id)).rejects.toMatchObject({ code: 'JOB_UNKNOWN' });
    });
  });

  describe.runIf(rig.can('pause'))('pause', () => {
    it('starts nothing more until it is resumed, and then goes on in order', async () => {
      const place = await rig.place();
      const begun = new Arrivals<number>();
      let finish = (): void => undefined;
      const step = task('step', (n: number) => {
        begun.add(n);
        return n === 0 ? new Promise<void>((resolve) => (finish = resolve)) : undefined;
      });
      const first = await rig.open([step], { place, worker: { concurrency: 1 } });
      const { id } = await first.jobs.enqueue(step, 0);
      await begun.reach(1);
      await first.jobs.pause('default');
      await first.jobs.enqueueMany(step, [1, 2]);
      finish();
      expect(await first.jobs.wait(id)).toMatchObject({ state: 'completed' });
      await first.close();

      const second = await rig.open([step], { place, worker: { concurrency: 1 } });
      await second.jobs.enqueue(step, 3);
      expect(await second.jobs.queues()).toMatchObject([
        { name: 'default', isPaused: true, counts: { available: 3, completed: 1 } },
      ]);
      expect(begun.all).toEqual([0]);
      await second.jobs.resume('default');
      expect(await begun.reach(4)).toEqual([0, 1, 2, 3]);
      expect(await second.jobs.queues()).toMatchObject([{ name: 'default', isPaused: false }]);
    });
  });

  describe.runIf(rig.can('progress'))('progress', () => {
    it('can be read while the job runs, and stays', async () => {
      const said = new Arrivals();
      let finish = (): void => undefined;
      const half = task('half', async (_, job) => {
        await job.progress(0.25);
        await job.progress(0.5);
        said.add(0);
        await new Promise<void>((resolve) => (finish = resolve));
      });
      const { jobs } = await rig.open([half]);
      const { id } = await jobs.enqueue(half, {});
      await said.reach(1);
      expect(await jobs.get(id)).toMatchObject({ state: 'running', progress: 0.5 });
      finish();
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', progress: 0.5 });
    });

    it('may be said thousands of times, while others are stored and run', async () => {
      let areOthersDone = false;
      const chatty = task('chatty', async (_, job) => {
        for (let count = 0; count < 1000 || !areOthersDone; count += 100) {
          const fractions = Array.from({ length: 100 }, (_each, i) => i / 100);
          await Promise.all(fractions.map((fraction) => job.progress(fraction)));
          await new Promise(setImmediate);
        }
        await job.progress(1);
      });
      const noop = task('noop', () => undefined, { queue: 'other' });
      const { jobs } = await rig.open([chatty, noop]);
      const { id } = await jobs.enqueue(chatty, {});
      const all = await jobs.enqueueMany(noop, Array.from({ length: 200 }).fill(null));
      await Promise.all(all.map((job) => jobs.wait(job.id)));
      areOthersDone = true;
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', progress: 1 });
    });
  });

  describe('wait', () => {
    it('gives up at its timeout and when its signal aborts, and the job goes on', async () => {
      const noop = task('noop', () => undefined);
      const { jobs } = await rig.open([noop]);
      const { id } = await jobs.enqueue(noop, {}, { delay: '1h' });
      await expect(jobs.wait(id, { timeout: '30ms' })).rejects.toMatchObject({
        code: 'JOB_WAIT_TIMEOUT',
      });
      const reason = new Error('never mind');
      await expect(jobs.wait(id, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      const controller = new AbortController();
      const waiting = jobs.wait(id, { signal: controller.signal });
      controller.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      expect(
        await until(
          () => jobs.get(id),
          () => true,
        ),
      ).toMatchObject({ state: 'scheduled' });
    });
  });
}
