import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { newJob } from '@thereafter/queue-conformance';
import { systemClock, type JobState } from '@thereafter/queue/driver';
import { bullmq } from '../src/index.ts';
import { hasRedis, startRedis } from './support/redis.ts';
import { complete, happens, Lines, openStore, settling } from './store.ts';

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

    it('fails where there is no Redis, and leaves nothing open', async () => {
      const redis = await startRedis();
      await redis[Symbol.asyncDispose]();
      const before = sockets();
      const started = bullmq({ url: redis.url }).start({
        clock: systemClock,
        log: new Lines(),
        keepMs,
      });
      await expect(started).rejects.toMatchObject({
        code: 'JOBS_REDIS_UNAVAILABLE',
        message: expect.stringContaining('ECONNREFUSED') as string,
      });
      expect(sockets()).toBe(before);
    });
  });

  describe('while Redis is away', () => {
    it('refuses to store, and stores again when it is back', async () => {
      const redis = open.use(await startRedis());
      const { driver, lines } = open.use(await openStore(redis));
      await driver.enqueue([newJob('before')]);
      await redis.kill();
      for (const id of ['a', 'b', 'c']) {
        await expect(driver.enqueue([newJob(id)])).rejects.toMatchObject({
          code: 'JOBS_REDIS_UNAVAILABLE',
          retryAfterSeconds: 1,
        });
      }
      await redis.restart();
      await eventually(() => driver.enqueue([newJob('after')]));
      expect(await driver.get('before')).toMatchObject({ state: 'available' });
      expect((await driver.counts('default')).available).toBe(2);
      expect(lines.all.map(({ message }) => message)).toContain('Redis is away; connecting again');
    });

    it('refuses to store when Redis hangs, and does not wait for it', async () => {
      const redis = open.use(await startRedis());
      const { driver } = open.use(await openStore(redis));
      await driver.enqueue([newJob('before')]);
      process.kill(redis.pid, 'SIGSTOP');
      await expect(driver.enqueue([newJob('hung')])).rejects.toMatchObject({
        code: 'JOBS_REDIS_UNAVAILABLE',
      });
      process.kill(redis.pid, 'SIGCONT');
      expect(await driver.get('before')).toMatchObject({ state: 'available' });
    });

    it('takes back what it refused to store for a response, when Redis hung and does it later', async () => {
      const redis = open.use(await startRedis());
      const { driver } = open.use(await openStore(redis));
      await driver.enqueue([newJob('before')]);
      process.kill(redis.pid, 'SIGSTOP');
      const refused = driver.enqueue([newJob('announced', { isHeld: true }), newJob('direct')]);
      await expect(refused).rejects.toMatchObject({ code: 'JOBS_REDIS_UNAVAILABLE' });
      process.kill(redis.pid, 'SIGCONT');
      expect(await driver.get('announced')).toBeNull();
      expect(await driver.get('direct')).toMatchObject({ state: 'available' });
    });

    it('settles what ran, and works on by itself when it is back', async () => {
      const redis = open.use(await startRedis());
      const { driver } = open.use(await openStore(redis));
      const begun = Promise.withResolvers<void>();
      const gate = Promise.withResolvers<void>();
      await driver.enqueue([newJob('during')]);
      driver.work(
        'default',
        { concurrency: 2, leaseMs: 30_000 },
        settling(async ({ record }) => {
          if (record.id === 'during') {
            begun.resolve();
            await gate.promise;
          }
          return { type: 'complete', result: '1' };
        }),
      );
      await begun.promise;
      await redis.kill();
      gate.resolve(); // ends while nobody can be told
      await redis.restart();
      await eventually(() => driver.enqueue([newJob('after')]));
      await eventually(async () => {
        const { completed } = await driver.counts('default');
        if (completed < 2) throw new Error('not yet');
      });
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
      expect(await driver.stop({ timeoutMs: 100 })).toMatchObject([{ id: 'endless' }]);
      expect(sockets()).toBe(0);
    });
  });

  // Redis writes before it answers, so that nothing is lost when it is killed: but with `everysec` it may
  // hold a write back for two seconds while the disk is busy syncing.
  it.each([
    ['nothing that was acknowledged', 'always'],
    ['the latest at most', 'everysec'],
  ] as const)('loses %s when Redis is killed (appendfsync %s)', async (_, appendfsync) => {
    const redis = open.use(await startRedis({ appendfsync }));
    const { driver } = open.use(await openStore(redis));
    /** In the order in which they were acknowledged. */
    const acknowledged: { readonly id: string; readonly life: number | undefined }[] = [];
    /** Even while one Redis lives, odd while it is killed and the next one starts. */
    let life = 0;
    let isOver = false;
    const produce = async (): Promise<void> => {
      while (!isOver) {
        const id = randomUUID();
        const before = life;
        try {
          await driver.enqueue([newJob(id)]);
          acknowledged.push({ id, life: before === life ? life : undefined });
        } catch {
          await new Promise(setImmediate); // not acknowledged: nobody counts on it
        }
      }
    };
    const ran = new Set<string>();
    driver.work(
      'default',
      { concurrency: 8, leaseMs: 2_000 },
      settling(async ({ record }) => {
        ran.add(record.id);
        return { type: 'complete' };
      }),
    );
    const producers = Array.from({ length: 8 }, produce);
    for (let kills = 0; kills < 5; kills++) {
      const enough = acknowledged.length + 300 + Math.random() * 300;
      await until(() => acknowledged.length > enough);
      life += 1;
      await redis.kill();
      await redis.restart();
      life += 1;
    }
    isOver = true;
    await Promise.all(producers);
    await eventually(() => driver.counts('default'));
    // What a worker had claimed when the line broke comes back after its lease.
    await until(async () => {
      const { available, running, scheduled } = await driver.counts('default');
      return available + running + scheduled === 0;
    });
    const states = new Map<string, JobState | undefined>();
    for (const { id } of acknowledged) states.set(id, (await driver.get(id))?.state);
    const isMissing = ({ id }: { readonly id: string }): boolean => states.get(id) === undefined;
    if (appendfsync === 'always') expect(acknowledged.filter(isMissing)).toEqual([]);
    for (let each = 0; each <= life; each += 2) {
      const ofLife = acknowledged.filter((job) => job.life === each);
      const missing = ofLife.filter(isMissing);
      expect(ofLife.slice(ofLife.length - missing.length)).toEqual(missing); // the latest
    }
    const others = [...states.values()].filter((state) => state && state !== 'completed');
    expect(others).toEqual([]);
    expect(acknowledged.filter(({ id }) => ran.has(id)).length).toBeGreaterThan(
      acknowledged.length / 2,
    );
  });

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
    // What has closed is listed for a while.
    while (resources().length > before.length) await new Promise(setImmediate);
  });
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
