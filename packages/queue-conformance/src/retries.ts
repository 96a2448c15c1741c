import { describe, expect, it } from 'vitest';
import { NotRetryable } from '@thereafter/queue';
import { ManualClock } from '@thereafter/queue/testing';
import { Arrivals, task, until, type Rig } from './driver-under-test.ts';

const QUICK = { type: 'fixed', delay: '1ms' } as const;

export function describeRetries(rig: Rig): void {
  describe('retries', () => {
    it('tries again after the delay of the backoff, until it succeeds', async () => {
      const clock = new ManualClock();
      const starts = new Arrivals<number>();
      const twice = task(
        'twice',
        (_, { attempt }) => {
          starts.add(attempt);
          if (attempt < 3) throw new Error(`attempt ${attempt}`);
          return 'done';
        },
        { attempts: 5, backoff: { type: 'exponential', delay: '100ms' } },
      );
      const { jobs } = await rig.open([twice], { clock });
      const { id } = await jobs.enqueue(twice, {});
      for (const delayMs of [100, 200]) {
        const waiting = await until(
          () => jobs.get(id),
          ({ state }) => state === 'scheduled',
        );
        expect(waiting.runAt.getTime() - clock.now()).toBe(delayMs);
        clock.advance(delayMs - 1);
        expect(await jobs.get(id)).toMatchObject({ state: 'scheduled', attempt: waiting.attempt });
        clock.advance(1);
        await starts.reach(waiting.attempt + 1);
      }
      const job = await jobs.wait(id);
      expect(job).toMatchObject({ state: 'completed', result: 'done', attempt: 3 });
      expect(job.errors.map(({ message }) => message)).toEqual(['attempt 1', 'attempt 2']);
      expect(starts.all).toEqual([1, 2, 3]);
    });

    it('is scheduled while it waits for an attempt, and says why', async () => {
      const failed = new Arrivals();
      const fail = task('fail', () => (failed.add(0), Promise.reject(new Error('no'))), {
        backoff: { type: 'fixed', delay: '1h' },
      });
      const { jobs } = await rig.open([fail]);
      const { id } = await jobs.enqueue(fail, {});
      await failed.reach(1);
      const job = await until(
        () => jobs.get(id),
        ({ state }) => state === 'scheduled',
      );
      expect(job).toMatchObject({ attempt: 1, error: { message: 'no', attempt: 1 } });
      expect(job.runAt.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    });

    it('fails a job whose attempts are used up, with its error, and says so once', async () => {
      class OutOfPaper extends Error {
        override name = 'OutOfPaper';
      }
      const fail = task('fail', () => Promise.reject(new OutOfPaper('tray 2')), {
        attempts: 3,
        backoff: QUICK,
      });
      const { jobs, driver } = await rig.open([fail]);
      const ends: string[] = [];
      driver.onEvent(({ type }) => void (type === 'failed' && ends.push(type)));
      const { id } = await jobs.enqueue(fail, {});
      const job = await jobs.wait(id);
      expect(job).toMatchObject({ state: 'failed', attempt: 3, result: null });
      expect(job.error).toMatchObject({ name: 'OutOfPaper', message: 'tray 2', attempt: 3 });
      expect(job.error?.stack).toContain('OutOfPaper');
      expect(job.finishedAt).not.toBeNull();
      await jobs.wait((await jobs.enqueue(fail, {})).id);
      expect(ends).toHaveLength(2);
    });

    it('does not try again after an error that says it is no use', async () => {
      const fail = task('fail', () => Promise.reject(new NotRetryable('the card was stolen')));
      const marked = task('marked', () =>
        Promise.reject(Object.assign(new Error('marked'), { retryable: false })),
      );
      const judged = task('judged', () => Promise.reject(new TypeError('judged')), {
        retryable: (error) => !(error instanceof TypeError),
      });
      const { jobs } = await rig.open([fail, marked, judged]);
      for (const each of [fail, marked, judged]) {
        const job = await jobs.wait((await jobs.enqueue(each, {})).id);
        expect(job).toMatchObject({ state: 'failed', attempt: 1, attempts: 5 });
      }
    });

    it('comes back when the error says, whatever the backoff', async () => {
      const clock = new ManualClock();
      const limited = task(
        'limited',
        (_, { attempt }) => {
          if (attempt === 1) throw Object.assign(new Error('slow down'), { retryAfterMs: 300 });
        },
        { backoff: { type: 'fixed', delay: '1h' } },
      );
      const { jobs } = await rig.open([limited], { clock });
      const { id } = await jobs.enqueue(limited, {});
      const waiting = await until(
        () => jobs.get(id),
        ({ state }) => state === 'scheduled',
      );
      expect(waiting.runAt.getTime() - clock.now()).toBe(300);
      clock.advance(300);
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', attempt: 2 });
    });

    it('aborts an attempt at its timeout, and what it does later counts no more', async () => {
      const aborted: unknown[] = [];
      let finishLate = (): void => undefined;
      const deaf = task(
        'deaf',
        async (_, { attempt, signal }) => {
          if (attempt > 1) return 'second';
          signal.addEventListener('abort', () => aborted.push(signal.reason));
          await new Promise<void>((resolve) => (finishLate = resolve));
          return 'late';
        },
        { attempts: 2, timeout: '80ms', backoff: QUICK },
      );
      const { jobs } = await rig.open([deaf]);
      const { id } = await jobs.enqueue(deaf, {});
      const job = await jobs.wait(id);
      expect(aborted).toMatchObject([{ code: 'JOB_TIMEOUT', timeoutMs: 80 }]);
      expect(job).toMatchObject({ state: 'completed', attempt: 2, result: 'second' });
      expect(job.errors).toMatchObject([{ name: 'JobTimeoutError', attempt: 1 }]);
      finishLate();
      await new Promise(setImmediate);
      expect(await jobs.get(id)).toMatchObject({ attempt: 2, result: 'second' });
    });

    it('retries a failed job on request with all its attempts, and no running one', async () => {
      let isFixed = false;
      const begun = new Arrivals();
      let finish = (): void => undefined;
      const fix = task(
        'fix',
        async () => {
          if (!isFixed) throw new Error('broken');
          begun.add(0);
          await new Promise<void>((resolve) => (finish = resolve));
        },
        { attempts: 2, backoff: QUICK },
      );
      const { jobs } = await rig.open([fix]);
      const { id } = await jobs.enqueue(fix, {});
      expect(await jobs.wait(id)).toMatchObject({ state: 'failed', attempt: 2 });
      isFixed = true;
      expect(await jobs.retry(id)).toBe(true);
      await begun.reach(1);
      expect(await jobs.get(id)).toMatchObject({ state: 'running', attempt: 1 });
      expect(await jobs.retry(id)).toBe(false);
      finish();
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', attempt: 1 });
      expect(await jobs.retry('no such job')).toBe(false);
    });

    it('remembers the errors of the last ten attempts', async () => {
      const fail = task('fail', (_, { attempt }) => Promise.reject(new Error(`no ${attempt}`)), {
        attempts: 12,
        backoff: QUICK,
      });
      const { jobs } = await rig.open([fail]);
      const job = await jobs.wait((await jobs.enqueue(fail, {})).id);
      expect(job.errors.map(({ attempt }) => attempt)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
      expect(job.error?.message).toBe('no 12');
    });
  });
}
