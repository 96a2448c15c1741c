import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/driver.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import {
  COMPLETE,
  DAY_MS,
  Handler,
  faultsOf,
  moved,
  newJob,
  newJobs,
  open,
  tempFolder,
  work,
} from './support.ts';

describe('SqliteDriver', () => {
  it('makes the folder of its file', async () => {
    await using folder = await tempFolder();
    const file = join(dirname(folder.file), 'deep', 'down', 'jobs.db');
    await using opened = await open(file);
    await opened.driver.enqueue([newJob()]);
    expect(existsSync(file)).toBe(true);
  });

  it('keeps every field of a job through a restart', async () => {
    await using folder = await tempFolder();
    const job = newJob({
      payload: '{"text":"ünïcödé ✓","deep":[[null,0,{}]]}',
      priority: 0,
      uniqueKey: 'k',
      schedule: { key: 'nightly', forMs: 7 },
      traceparent: '00-aa-bb-01',
      runAtMs: Date.now() + DAY_MS,
    });
    {
      await using first = await open(folder.file);
      await first.driver.enqueue([job]);
    }
    await using second = await open(folder.file);
    expect(await second.driver.get(job.id)).toEqual({
      id: job.id,
      queue: 'mail',
      task: 'send',
      state: 'scheduled',
      payload: job.payload,
      result: null,
      errors: [],
      attempt: 0,
      attempts: 3,
      crashes: 0,
      progress: 0,
      priority: 0,
      enqueuedAtMs: expect.any(Number) as number,
      runAtMs: job.runAtMs,
      startedAtMs: null,
      finishedAtMs: null,
      uniqueKey: 'k',
      schedule: { key: 'nightly', forMs: 7 },
      traceparent: '00-aa-bb-01',
    });
  });

  it('runs a job, and keeps its result', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    work(driver, new Handler(() => ({ type: 'complete', result: '[1]' })));
    const completed = moved(driver, 'completed');
    const job = newJob();
    await driver.enqueue([job]);
    await completed;
    expect(await driver.get(job.id)).toMatchObject({
      state: 'completed',
      attempt: 1,
      result: '[1]',
    });
    expect(faultsOf(folder.file)).toEqual([]);
  });

  it('runs by priority, then in the order of becoming available', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const jobs = [5, 9, 0, 5, 0].map((priority) => newJob({ priority }));
    await opened.driver.enqueue(jobs);
    const handler = new Handler();
    work(opened.driver, handler, 1);
    await handler.started(5);
    expect(handler.ids).toEqual([2, 4, 0, 3, 1].map((index) => jobs[index]?.id));
  });

  it('stores all jobs of a call or none, also one that takes several turns', async () => {
    await using folder = await tempFolder();
    let inserts = 0;
    let failAt = Number.POSITIVE_INFINITY;
    await using opened = await open(folder.file, {
      onStatement: (text) => {
        if (text.startsWith('INSERT INTO jobs') && (inserts += 1) === failAt) {
          throw new Error('broken in the middle');
        }
      },
    });
    failAt = 1_700;
    await expect(opened.driver.enqueue(newJobs(2_000))).rejects.toThrow('broken in the middle');
    expect((await opened.driver.counts('mail')).available).toBe(0);
    await opened.driver.enqueue(newJobs(2_000));
    expect((await opened.driver.counts('mail')).available).toBe(2_000);
    expect(faultsOf(folder.file)).toEqual([]);
  });

  it('lets the event loop turn while it stores very many', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    let turns = 0;
    let isStored = false;
    const count = (): void => {
      turns += 1;
      if (!isStored) setImmediate(count);
    };
    setImmediate(count);
    const stored = opened.driver.enqueue(newJobs(5_000));
    const counted = opened.driver.counts('mail');
    await stored;
    isStored = true;
    expect(turns).toBeGreaterThanOrEqual(9);
    expect((await counted).available % 5_000).toBe(0); // never a part
  });

  it('rejects the bad one of a batch, and not its neighbours', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const bad = newJob({ payload: null as unknown as string }); // the table refuses it
    const results = await Promise.allSettled(
      [newJob(), bad, newJob()].map((job) => driver.enqueue([job])),
    );
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await driver.counts('mail')).available).toBe(2);
    expect(faultsOf(folder.file)).toEqual([]);
  });

  it('knows a duplicate by its id and by its unique key', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const first = newJob({ uniqueKey: 'k' });
    const stored = await opened.driver.enqueue([
      first,
      { ...first, payload: '2', uniqueKey: undefined },
      newJob({ uniqueKey: 'k' }),
    ]);
    expect(stored).toMatchObject([
      { id: first.id, duplicate: false },
      { id: first.id, duplicate: true },
      { id: first.id, duplicate: true },
    ]);
    expect((await opened.driver.get(first.id))?.payload).toBe(first.payload);
  });

  it('keeps a unique key taken until its period is over, even if the job is to be forgotten', async () => {
    await using folder = await tempFolder();
    const clock = new ManualClock();
    await using opened = await open(folder.file, { clock, keepMs: { completed: 10 } });
    const { driver } = opened;
    const job = newJob({
      uniqueKey: 'k',
      uniqueUntilMs: clock.now() + 1_000,
      runAtMs: clock.now(),
    });
    const other = newJob({ runAtMs: clock.now() });
    work(driver, new Handler());
    const completed = moved(driver, 'completed', 2);
    await driver.enqueue([job, other]);
    await completed;
    clock.advance(500);
    await until(async () => (await driver.get(other.id)) === null);
    const again = newJob({ uniqueKey: 'k', runAtMs: clock.now() });
    expect(await driver.enqueue([again])).toMatchObject([{ id: job.id, duplicate: true }]);
    clock.advance(600);
    expect(await driver.enqueue([again])).toMatchObject([{ id: again.id, duplicate: false }]);
  });

  it('refuses to retry a job whose key another one has', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const first = newJob({ uniqueKey: 'k' });
    await driver.enqueue([first]);
    await driver.cancel(first.id);
    await driver.enqueue([newJob({ uniqueKey: 'k' })]);
    expect(await driver.retry(first.id)).toBe(false);
    expect((await driver.get(first.id))?.state).toBe('cancelled');
  });

  it('keeps held jobs back until they are released, in the order of their release', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const [a, b] = [newJob({ isHeld: true }), newJob({ isHeld: true })] as const;
    const handler = new Handler();
    work(driver, handler, 1);
    await driver.enqueue([a, b]);
    expect((await driver.counts('mail')).scheduled).toBe(2);
    await driver.release([b]);
    await handler.started(1);
    await driver.release([a, { id: 'unknown', queue: 'mail' }]);
    await handler.started(2);
    expect(handler.ids).toEqual([b.id, a.id]);
  });

  it('does not release what was cancelled', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const job = newJob({ isHeld: true });
    await opened.driver.enqueue([job]);
    expect(await opened.driver.cancel(job.id)).toBe('cancelled');
    await opened.driver.release([job]);
    expect((await opened.driver.get(job.id))?.state).toBe('cancelled');
  });

  it('frees what it held when it stops', async () => {
    await using folder = await tempFolder();
    const job = newJob({ isHeld: true });
    {
      await using first = await open(folder.file);
      await first.driver.enqueue([job]);
    }
    await using second = await open(folder.file);
    expect((await second.driver.get(job.id))?.state).toBe('available');
  });

  it('runs a delayed job when its time has come', async () => {
    await using folder = await tempFolder();
    const clock = new ManualClock();
    await using opened = await open(folder.file, { clock });
    const handler = new Handler();
    work(opened.driver, handler);
    const early = newJob({ runAtMs: clock.now() + 10_000 });
    const late = newJob({ runAtMs: clock.now() + 20_000 });
    await opened.driver.enqueue([late, early]);
    clock.advance(9_999);
    expect((await opened.driver.counts('mail')).scheduled).toBe(2);
    clock.advance(1);
    await handler.started(1);
    clock.advance(10_000);
    await handler.started(2);
    expect(handler.ids).toEqual([early.id, late.id]);
  });

  it('retries, and remembers the last errors', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const handler = new Handler(({ record }): Verdict => {
      const error = {
        name: 'E',
        message: `no ${record.attempt}`,
        attempt: record.attempt,
        atMs: 1,
      };
      return record.attempt < 12 ? { type: 'retry', delayMs: 0, error } : { type: 'fail', error };
    });
    const failed = moved(driver, 'failed');
    work(driver, handler);
    const job = newJob();
    await driver.enqueue([job]);
    await failed;
    const record = await driver.get(job.id);
    expect(record).toMatchObject({ state: 'failed', attempt: 12 });
    expect(record?.errors.map(({ attempt }) => attempt)).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await driver.retry(job.id)).toBe(true);
  });

  it('takes no attempt for a snooze', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    let runs = 0;
    const completed = moved(driver, 'completed');
    work(driver, new Handler(() => ((runs += 1) < 4 ? { type: 'snooze', delayMs: 0 } : COMPLETE)));
    const job = newJob({ attempts: 1 });
    await driver.enqueue([job]);
    await completed;
    expect(await driver.get(job.id)).toMatchObject({ attempt: 1, attempts: 1 });
  });

  it('never runs more than its limit at a time, and reaches it', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    let now = 0;
    let most = 0;
    const completed = moved(opened.driver, 'completed', 12);
    work(
      opened.driver,
      new Handler(async () => {
        most = Math.max(most, (now += 1));
        await new Promise(setImmediate);
        now -= 1;
        return COMPLETE;
      }),
      3,
    );
    await opened.driver.enqueue(newJobs(12));
    await completed;
    expect(most).toBe(3);
  });

  it('tells a running job that it was cancelled, from another connection too', async () => {
    await using folder = await tempFolder();
    await using worker = await open(folder.file);
    await using client = await open(folder.file);
    const handler = new Handler(async ({ signal }): Promise<Verdict> => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return { type: 'cancel' };
    });
    work(worker.driver, handler);
    const job = newJob();
    await client.driver.enqueue([job]);
    await handler.started(1);
    const cancelled = moved(client.driver, 'cancelled');
    expect(await client.driver.cancel(job.id)).toBe('requested');
    await cancelled; // which is told to the other connection too
    expect((await client.driver.get(job.id))?.state).toBe('cancelled');
  });

  it('runs nothing of a paused queue, and goes on after a restart and a resume', async () => {
    await using folder = await tempFolder();
    const jobs = newJobs(3);
    {
      await using first = await open(folder.file);
      await first.driver.pause('mail');
      await first.driver.enqueue(jobs);
    }
    await using second = await open(folder.file);
    expect(await second.driver.isPaused('mail')).toBe(true);
    const handler = new Handler();
    work(second.driver, handler, 1);
    await second.driver.enqueue(newJobs(1));
    expect((await second.driver.counts('mail')).available).toBe(4);
    await second.driver.resume('mail');
    await handler.started(4);
    expect(handler.ids.slice(0, 3)).toEqual(jobs.map(({ id }) => id));
  });

  it('forgets ended jobs after their time, not before', async () => {
    await using folder = await tempFolder();
    const clock = new ManualClock();
    await using opened = await open(folder.file, { clock, keepMs: { completed: 1_000 } });
    const { driver } = opened;
    const completed = moved(driver, 'completed', 1_200);
    work(driver, new Handler());
    await driver.enqueue(newJobs(1_200, { runAtMs: clock.now() }));
    await completed;
    clock.advance(999);
    await driver.enqueue(newJobs(1, { queue: 'other' })); // a transaction after whatever would be too early
    expect((await driver.counts('mail')).completed).toBe(1_200);
    clock.advance(1);
    await until(async () => (await driver.counts('mail')).completed === 0);
    expect(faultsOf(folder.file)).toEqual([]);
  });

  it('lists newest first, page by page', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const rare = newJob({ task: 'rare' });
    await driver.enqueue([rare, ...newJobs(4_500), newJob({ queue: 'other' })]);
    expect((await driver.list({ task: 'rare', limit: 5 })).items.map(({ id }) => id)).toEqual([
      rare.id,
    ]);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await driver.list({ queue: 'mail', state: 'available', limit: 999, cursor });
      seen.push(...page.items.map(({ id }) => id));
      ({ cursor } = page);
    } while (cursor !== undefined);
    expect(seen).toHaveLength(4_501);
    expect(new Set(seen).size).toBe(4_501);
    expect(seen.at(-1)).toBe(rare.id);
  });

  it('keeps the last tick of a schedule as long as its times are the same', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    const nightly = { key: 'n', cron: '0 3 * * *', timeZone: 'UTC', task: 't', lastTickMs: 10 };
    await driver.putSchedule(nightly);
    await driver.ticked('n', 50);
    await driver.ticked('n', 40);
    await driver.putSchedule({ ...nightly, lastTickMs: 20 });
    expect((await driver.schedules())[0]?.lastTickMs).toBe(50);
    await driver.putSchedule({ ...nightly, cron: '0 4 * * *', lastTickMs: 20 });
    expect(await driver.schedules()).toMatchObject([{ cron: '0 4 * * *', lastTickMs: 20 }]);
    expect(await driver.removeSchedule('n')).toBe(true);
    expect(await driver.removeSchedule('n')).toBe(false);
  });

  it('hands back what has not ended at the deadline, and refuses its late verdict', async () => {
    await using folder = await tempFolder();
    const job = newJob();
    const { promise: end, resolve: finish } = Promise.withResolvers<Verdict>();
    const first = await open(folder.file);
    const handler = new Handler(() => end);
    work(first.driver, handler, 1);
    await first.driver.enqueue([job]);
    await handler.started(1);
    expect((await first.driver.stop({ timeoutMs: 1 })).map(({ id }) => id)).toEqual([job.id]);
    expect(await first.driver.stop({ timeoutMs: 1 })).toHaveLength(1);
    finish(COMPLETE);
    await new Promise(setImmediate);
    expect(handler.stale).toEqual([job.id]);
    await using second = await open(folder.file);
    expect(await second.driver.get(job.id)).toMatchObject({
      state: 'available',
      attempt: 0,
      crashes: 0,
    });
  });

  it('lets a running job enqueue while it stops', async () => {
    await using folder = await tempFolder();
    const next = newJob();
    const first = await open(folder.file);
    const { promise: gate, resolve: go } = Promise.withResolvers<void>();
    const handler = new Handler(async () => {
      await gate;
      await first.driver.enqueue([next]);
      return COMPLETE;
    });
    work(first.driver, handler);
    await first.driver.enqueue([newJob()]);
    await handler.started(1);
    const stopped = first.driver.stop({ timeoutMs: 10_000 });
    go();
    expect(await stopped).toEqual([]);
    await using second = await open(folder.file);
    expect((await second.driver.get(next.id))?.state).toBe('available');
  });

  it('refuses work before the start and after the stop', async () => {
    await using folder = await tempFolder();
    const { driver } = await open(folder.file);
    await driver.stop({ timeoutMs: 0 });
    await expect(driver.enqueue([newJob()])).rejects.toMatchObject({ code: 'SQLITE_STORE_CLOSED' });
  });

  it('leaves nothing beside its file after many starts', async () => {
    await using folder = await tempFolder();
    for (let i = 0; i < 20; i += 1) {
      await using opened = await open(folder.file);
      await opened.driver.enqueue([newJob()]);
    }
    expect(readdirSync(dirname(folder.file))).toEqual(['jobs.db']);
  });

  it('names the queues that have jobs, are paused, or are worked on', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const { driver } = opened;
    await driver.enqueue([newJob({ queue: 'b' })]);
    await driver.pause('a');
    driver.work('c', { concurrency: 1, leaseMs: 1 }, new Handler().run);
    await driver.setProgress((await driver.list({ limit: 1 })).items[0]!, 1); // after work() is written
    expect(await driver.queues()).toEqual(['a', 'b', 'c']);
  });
});

/** Asks again at each turn of the event loop. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise(setImmediate);
}
