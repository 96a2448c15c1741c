import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { RunJob } from '../../src/driver.ts';
import { bullmq } from '../../src/bullmq/index.ts';
import { systemClock } from '../../src/clock.ts';
import { hasRedis, startRedis } from '../support/redis.ts';
import { happens, Lines, newJob, openStore } from './store.ts';

const complete: RunJob = async () => ({ type: 'complete' });
const keepMs = { completed: 1e9, failed: 1e9, cancelled: 1e9 };

describe.runIf(hasRedis)('the BullMQ driver', () => {
  let open = new AsyncDisposableStack();
  afterEach(async () => {
    await open.disposeAsync();
    open = new AsyncDisposableStack();
  });

  describe('at start', () => {
    it('says nothing about a Redis that keeps jobs', async () => {
      const redis = open.use(await startRedis());
      const { lines } = open.use(await openStore(redis));
      expect(lines.all).toEqual([]);
    });

    it('warns of a Redis that forgets when it is killed, or throws keys away', async () => {
      const redis = open.use(
        await startRedis({ appendonly: 'no', 'maxmemory-policy': 'allkeys-lru' }),
      );
      const { lines } = open.use(await openStore(redis));
      expect(lines.all.map(({ level }) => level)).toEqual(['error', 'error']);
      expect(lines.all[0]?.message).toContain('maxmemory-policy is allkeys-lru');
      expect(lines.all[1]?.message).toContain('appendonly is no');
    });

    it('fails soon where there is no Redis, and leaves nothing open', async () => {
      const redis = await startRedis();
      await redis[Symbol.asyncDispose]();
      const before = sockets();
      const startMs = performance.now();
      const started = bullmq({ url: redis.url }).start({
        clock: systemClock,
        log: new Lines(),
        keepMs,
      });
      await expect(started).rejects.toMatchObject({
        code: 'JOBS_REDIS_UNAVAILABLE',
        message: expect.stringContaining('ECONNREFUSED') as string,
      });
      expect(performance.now() - startMs).toBeLessThan(4_000);
      expect(sockets()).toBe(before);
    });
  });

  describe('while Redis is away', () => {
    it('refuses to store within two seconds, and stores again when it is back', async () => {
      const redis = open.use(await startRedis());
      const { driver, lines } = open.use(await openStore(redis));
      await driver.enqueue([newJob('before')]);
      await redis.kill();
      for (const id of ['a', 'b', 'c']) {
        const startMs = performance.now();
        await expect(driver.enqueue([newJob(id)])).rejects.toMatchObject({
          code: 'JOBS_REDIS_UNAVAILABLE',
          retryAfterSeconds: 1,
        });
        expect(performance.now() - startMs).toBeLessThan(2_000);
      }
      await redis.restart();
      await eventually(() => driver.enqueue([newJob('after')]));
      expect(await driver.get('before')).toMatchObject({ state: 'available' });
      expect((await driver.counts('default')).available).toBe(2);
      expect(lines.all.filter(({ message }) => message.startsWith('Redis is away'))).not.toEqual(
        [],
      );
    });

    it('refuses to store within two seconds when Redis hangs', async () => {
      const redis = open.use(await startRedis());
      const { driver } = open.use(await openStore(redis));
      await driver.enqueue([newJob('before')]);
      process.kill(redis.pid, 'SIGSTOP');
      const startMs = performance.now();
      await expect(driver.enqueue([newJob('hung')])).rejects.toMatchObject({
        code: 'JOBS_REDIS_UNAVAILABLE',
      });
      expect(performance.now() - startMs).toBeLessThan(2_000);
      process.kill(redis.pid, 'SIGCONT');
      expect(await driver.get('before')).toMatchObject({ state: 'available' });
    });

    it('settles what ran, and works on by itself when it is back', async () => {
      const redis = open.use(await startRedis());
      const { driver } = open.use(await openStore(redis));
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      await driver.enqueue([newJob('during')]);
      const during = happens(driver, 'completed', 2);
      driver.work('default', { concurrency: 2, leaseMs: 30_000 }, async ({ record }) => {
        if (record.id === 'during') {
          begun.resolve();
          await gate.promise;
        }
        return { type: 'complete', result: '1' };
      });
      await begun.promise;
      await redis.kill();
      gate.resolve(); // ends while nobody can be told
      await redis.restart();
      await eventually(() => driver.enqueue([newJob('after')]));
      await during;
      expect(await driver.get('during')).toMatchObject({
        state: 'completed',
        attempt: 1,
        crashes: 0,
      });
      expect(await driver.get('after')).toMatchObject({ state: 'completed' });
    });

    it('stops all the same', async () => {
      const redis = open.use(await startRedis());
      const { driver } = await openStore(redis);
      await driver.enqueue([newJob('endless')]);
      const begun = Promise.withResolvers<void>();
      driver.work('default', { concurrency: 1, leaseMs: 5_000 }, () => {
        begun.resolve();
        return new Promise(() => {});
      });
      await begun.promise;
      await redis.kill();
      const startMs = performance.now();
      expect(await driver.stop({ timeoutMs: 100 })).toMatchObject([{ id: 'endless' }]);
      expect(performance.now() - startMs).toBeLessThan(5_000);
      expect(sockets()).toBe(0);
    });
  });

  it('loses no acknowledged job when Redis is killed five times under load', async () => {
    const redis = open.use(await startRedis());
    const { driver } = open.use(await openStore(redis));
    const acknowledged: string[] = [];
    let isOver = false;
    const produce = async (): Promise<void> => {
      while (!isOver) {
        const id = randomUUID();
        try {
          await driver.enqueue([newJob(id)]);
          acknowledged.push(id);
        } catch {
          await new Promise(setImmediate); // not acknowledged: nobody counts on it
        }
      }
    };
    const ran = new Set<string>();
    driver.work('default', { concurrency: 8, leaseMs: 1_000 }, async ({ record }) => {
      ran.add(record.id);
      return { type: 'complete' };
    });
    const producers = Array.from({ length: 8 }, produce);
    for (let kills = 0; kills < 5; kills++) {
      const enough = acknowledged.length + 500 + Math.random() * 500;
      await until(() => acknowledged.length > enough);
      await redis.kill();
      await redis.restart();
    }
    isOver = true;
    await Promise.all(producers);
    const missing: string[] = [];
    for (const id of acknowledged) if (!(await driver.get(id))) missing.push(id);
    expect(missing).toEqual([]);
    // What a worker had claimed when the line broke comes back after its lease.
    await until(async () => {
      const { available, running, scheduled } = await driver.counts('default');
      return available + running + scheduled === 0;
    });
    expect(acknowledged.filter((id) => !ran.has(id))).toEqual([]);
    expect((await driver.counts('default')).completed).toBeGreaterThanOrEqual(acknowledged.length);
  }, 60_000);

  it('leaves no socket or timer, however often it is started and stopped', async () => {
    const redis = open.use(await startRedis());
    const before = resources();
    for (let round = 0; round < 50; round++) {
      const { driver } = await openStore(redis);
      driver.work('default', { concurrency: 2, leaseMs: 30_000 }, complete);
      if (round % 2 === 0) {
        const done = happens(driver, 'completed');
        await driver.enqueue([newJob(`job-${round}`)]);
        await done;
      }
      await driver.stop({ timeoutMs: 1_000 });
    }
    // BullMQ says in the next turn that it is ready.
    for (let turns = 0; turns < 100 && resources().length > before.length; turns++) {
      await new Promise(setImmediate);
    }
    expect(resources()).toEqual(before);
  }, 60_000);
});

function sockets(): number {
  return resources().filter((name) => name === 'TCPSocketWrap').length;
}

/** Sockets and timers: what the test runner has besides comes and goes. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => name === 'TCPSocketWrap' || name === 'Timeout')
    .toSorted();
}

async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  await until(() =>
    attempt().then(
      () => true,
      () => false,
    ),
  );
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}
