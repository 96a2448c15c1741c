import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newJob } from '@thereafter/queue-conformance';
import { HOLD_MS, type JobRecord, type Attempt, type Verdict } from '@thereafter/queue/driver';
import { ManualClock } from '@thereafter/queue/testing';
import { hasRedis, startRedis, type RedisServer } from './support/redis.ts';
import { complete, happens, openStore, settling, type OpenStore } from './store.ts';

describe.runIf(hasRedis)('the BullMQ driver', () => {
  let redis: RedisServer;
  let open = new AsyncDisposableStack();
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());
  afterEach(async () => {
    await open.disposeAsync();
    open = new AsyncDisposableStack();
  });

  async function store(options: Parameters<typeof openStore>[1] = {}): Promise<OpenStore> {
    return open.use(await openStore(redis, options));
  }

  function client(): Redis {
    const made = new Redis(redis.url);
    open.defer(() => made.disconnect());
    return made;
  }

  it('keeps jobs apart from everything else in Redis, whatever they are called', async () => {
    const { driver } = await store();
    const ids = ['wait', 'meta', 'active', '', '0:0', 'a:b', '%_wait', '100%', 'größe 🦆'];
    const queues = ['a:b', '50% off', 'queues', 'jobs'];
    const done = happens(driver, 'completed', ids.length);
    for (const queue of queues) {
      const jobs = ids.map((id) => newJob(`${id}${queue === 'a:b' ? '' : queue}`, { queue }));
      const stored = await driver.enqueue(jobs);
      expect(stored).toEqual(jobs.map(({ id }) => ({ id, duplicate: false })));
      expect((await driver.counts(queue)).available).toBe(ids.length);
    }
    for (const id of ids) expect(await driver.get(id)).toMatchObject({ id, queue: 'a:b' });
    expect(await driver.queues()).toEqual(queues.toSorted());

    const ran: string[] = [];
    driver.work(
      'a:b',
      { concurrency: 1, leaseMs: 5_000 },
      settling(async ({ record }) => {
        ran.push(record.id);
        return { type: 'complete' };
      }),
    );
    await done;
    expect(ran).toEqual(ids);
  });

  it('knows an id over all queues', async () => {
    const { driver } = await store();
    await driver.enqueue([newJob('one', { queue: 'a', payload: '1' })]);
    expect(await driver.enqueue([newJob('one', { queue: 'b', payload: '2' })])).toEqual([
      { id: 'one', duplicate: true },
    ]);
    expect(await driver.get('one')).toMatchObject({ queue: 'a', payload: '1' });
  });

  it('refuses more jobs than one message to Redis can hold', async () => {
    const { driver } = await store();
    const jobs = Array.from({ length: 50_001 }, (_, n) => newJob(`job-${n}`));
    await expect(driver.enqueue(jobs)).rejects.toThrow('at most 50000');
    expect((await driver.counts('default')).available).toBe(0);
  });

  it('lets an urgent job pass those that wait, at every priority', async () => {
    const { driver } = await store();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const done = happens(driver, 'completed', 1 + 6 * 5);
    await driver.enqueue([newJob('first'), ...five('middle', 5), ...five('low', 7)]);
    driver.work(
      'default',
      { concurrency: 1, leaseMs: 5_000 },
      settling(async ({ record }) => {
        if (record.id === 'first') {
          begun.resolve();
          await gate.promise;
        } else order.push(record.id);
        return { type: 'complete' };
      }),
    );
    await begun.promise;
    const later = [...five('lowest', 9), ...five('high', 4), ...five('highest', 0)];
    await driver.enqueue([...later, ...five('mid2', 5)]);
    gate.resolve();
    await done;
    const names = ['highest', 'high', 'middle', 'mid2', 'low', 'lowest'];
    expect(order).toEqual(names.flatMap((name) => five(name, 5).map(({ id }) => id)));
  });

  it('runs released jobs in the order in which they are released', async () => {
    const { driver } = await store();
    const done = happens(driver, 'completed', 200);
    const ids = Array.from({ length: 200 }, (_, n) => `job-${n}`);
    await driver.enqueue(ids.map((id) => newJob(id, { isHeld: true })));
    expect((await driver.counts('default')).scheduled).toBe(200);
    const ran: string[] = [];
    driver.work(
      'default',
      { concurrency: 1, leaseMs: 5_000 },
      settling(async ({ record }) => {
        ran.push(record.id);
        return { type: 'complete' };
      }),
    );
    await driver.release(ids.map((id) => ({ id, queue: 'default' })));
    await done;
    expect(ran).toEqual(ids);
  });

  it('runs a held job that nobody releases when its time is over, and a later one when it is due', async () => {
    const clock = new ManualClock();
    const { driver } = await store({ clock });
    const first = happens(driver, 'completed');
    const runAtMs = clock.now() + 2 * HOLD_MS;
    await driver.enqueue([
      newJob('forgotten', { isHeld: true, runAtMs: clock.now() }),
      newJob('later', { isHeld: true, runAtMs }),
    ]);
    await driver.release([{ id: 'later', queue: 'default' }]);
    driver.work('default', { concurrency: 1, leaseMs: 5_000 }, complete);
    clock.advance(HOLD_MS - 1);
    expect(await driver.get('forgotten')).toMatchObject({ state: 'scheduled' });
    clock.advance(1);
    await first;
    expect(await driver.get('forgotten')).toMatchObject({ state: 'completed' });
    expect(await driver.get('later')).toMatchObject({ state: 'scheduled', runAtMs });
    const second = happens(driver, 'completed');
    clock.advance(HOLD_MS);
    await second;
  });

  it('hands back what runs in its old order, before all others, with no attempt counted', async () => {
    const prefix = randomUUID();
    const { driver } = await store({ prefix });
    await driver.enqueue([...five('hang', 5), ...five('wait', 5)]);
    const started = Promise.withResolvers<void>();
    let running = 0;
    driver.work('default', { concurrency: 5, leaseMs: 5_000 }, () => {
      if ((running += 1) === 5) started.resolve();
      return new Promise(() => {});
    });
    await started.promise;
    const handedBack = await driver.stop({ timeoutMs: 10 });
    expect(handedBack.map(({ id }) => id).toSorted()).toEqual(five('hang', 5).map(({ id }) => id));

    const { driver: next } = await store({ prefix });
    const done = happens(next, 'completed', 10);
    expect(await next.get('hang-1')).toMatchObject({ state: 'available', attempt: 0, crashes: 0 });
    const ran: string[] = [];
    next.work(
      'default',
      { concurrency: 1, leaseMs: 5_000 },
      settling(async ({ record }) => {
        ran.push(record.id);
        return { type: 'complete' };
      }),
    );
    await done;
    expect(ran).toEqual([...five('hang', 5), ...five('wait', 5)].map(({ id }) => id));
  });

  it('does not count what a worker says of a job that was given to another', async () => {
    const { driver } = await store();
    const stale: JobRecord[] = [];
    const attempts: Attempt[] = [];
    const ends: ((verdict: Verdict) => void)[] = [];
    const done = happens(driver, 'completed');
    await driver.enqueue([newJob('contested')]);
    const run = settling(
      (attempt) => {
        attempts.push(attempt);
        return new Promise((resolve) => ends.push(resolve));
      },
      ({ record }) => stale.push(record),
    );
    driver.work('default', { concurrency: 2, leaseMs: 3_000 }, run);
    await eventually(async () => attempts.length === 1);
    await loseLock('contested');
    await eventually(async () => attempts.length === 2);
    expect(attempts[1]?.record).toMatchObject({ attempt: 2, crashes: 1 });
    ends[0]?.({ type: 'fail', error: { name: 'E', message: 'late', attempt: 1, atMs: 0 } });
    await eventually(async () => stale.length > 0);
    expect(stale).toMatchObject([{ id: 'contested', attempt: 1 }]);
    await driver.setProgress?.(attempts[1]!.record, 0.5);
    ends[1]?.({ type: 'complete', result: '"in time"' });
    await done;
    expect(await driver.get('contested')).toMatchObject({
      state: 'completed',
      result: '"in time"',
      attempt: 2,
      crashes: 1,
      errors: [],
      progress: 0.5,
    });
  });

  it('keeps a job that outlives its lease, as long as its process lives', async () => {
    const { driver } = await store();
    const stale: JobRecord[] = [];
    const end = Promise.withResolvers<void>();
    const started = happens(driver, 'running');
    await driver.enqueue([newJob('long')]);
    const run = settling(
      async () => {
        await end.promise;
        return { type: 'complete' };
      },
      ({ record }) => stale.push(record),
    );
    driver.work('default', { concurrency: 2, leaseMs: 2_000 }, run);
    await started;
    const redisClient = client();
    const lockKey = await lockOf(redisClient, 'long');
    let renewals = 0;
    let lastMs = 2_000;
    await eventually(async () => {
      const leftMs = await redisClient.pttl(lockKey);
      if (leftMs > lastMs) renewals += 1;
      lastMs = leftMs;
      return renewals >= 5; // over more than a lease
    });
    const done = happens(driver, 'completed');
    end.resolve();
    await done;
    expect(stale).toEqual([]);
    expect(await driver.get('long')).toMatchObject({ attempt: 1, crashes: 0 });
  });

  it('leaves jobs to live workers when all leases ran out while Redis was away', async () => {
    const { driver } = await store();
    const end = Promise.withResolvers<void>();
    const started = happens(driver, 'running', 5);
    await driver.enqueue(five('long', 5));
    driver.work(
      'default',
      { concurrency: 5, leaseMs: 1_000 },
      settling(async () => {
        await end.promise;
        return { type: 'complete' };
      }),
    );
    await started;
    const redisClient = client();
    const lockKeys = await Promise.all(five('long', 5).map(({ id }) => lockOf(redisClient, id)));
    expect(await redisClient.del(lockKeys)).toBe(5);
    await eventually(async () => (await redisClient.exists(lockKeys)) === 5);
    const done = happens(driver, 'completed', 5);
    end.resolve();
    await done;
    for (const { id } of five('long', 5)) {
      expect(await driver.get(id)).toMatchObject({ state: 'completed', attempt: 1, crashes: 0 });
    }
  });

  it('cancels a job whose worker was lost after it was called off', async () => {
    const { driver } = await store();
    const started = happens(driver, 'running');
    await driver.enqueue([newJob('doomed')]);
    driver.work('default', { concurrency: 1, leaseMs: 600 }, () => new Promise(() => {}));
    await started;
    const cancelled = happens(driver, 'cancelled');
    expect(await driver.cancel('doomed')).toBe('requested');
    await loseLock('doomed');
    await cancelled;
    expect(await driver.get('doomed')).toMatchObject({ state: 'cancelled', crashes: 1 });
  });

  it('lists a state of which there are many by searching, and one of which there are few by sorting', async () => {
    const { driver } = await store();
    const many = Array.from({ length: 6_000 }, (_, n) => newJob(`many-${n}`));
    const few = Array.from({ length: 10 }, (_, n) => newJob(`few-${n}`, { priority: n }));
    await driver.enqueue([...few, ...many]);
    for (const { id } of few) await driver.cancel(id);
    const list = async (query: object): Promise<string[]> => {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await driver.list!({ ...query, limit: 700, cursor });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ids;
    };
    const ids = (jobs: readonly { readonly id: string }[]): string[] =>
      jobs.map(({ id }) => id).toReversed();
    expect(await list({ state: 'available' })).toEqual(ids(many));
    expect(await list({ state: 'cancelled', queue: 'default' })).toEqual(ids(few));
    expect(await list({ queue: 'default' })).toEqual([...ids(many), ...ids(few)]);
    expect(await list({ task: 'other' })).toEqual([]);
    expect(await driver.list!({ limit: 1, cursor: "1'; DROP" })).toEqual({ items: [] });
  });

  it('can be seen with the tools of BullMQ', async () => {
    const prefix = randomUUID();
    const { driver } = await store({ prefix });
    await driver.enqueue([
      newJob('plain', { payload: '{"to":"ada"}' }),
      newJob('urgent', { priority: 0 }),
      newJob('later', { runAtMs: Date.now() + 60_000 }),
    ]);
    const queue = new Queue('default', { prefix, connection: client() });
    open.defer(() => queue.close());
    expect(await queue.getJobCounts('wait', 'prioritized', 'delayed')).toEqual({
      wait: 1,
      prioritized: 1,
      delayed: 1,
    });
    expect(await queue.getJob('plain')).toMatchObject({ name: 'noop', data: { to: 'ada' } });
    expect(await queue.getJobState('urgent')).toBe('prioritized');
    expect((await queue.getJob('later'))?.delay).toBeGreaterThan(50_000);
  });

  /** As if its worker had given no sign of life for a lease, and would not be believed any more. */
  async function loseLock(id: string): Promise<void> {
    const redisClient = client();
    const lockKey = await lockOf(redisClient, id);
    await redisClient.hset(lockKey.replace(/:lock$/, ''), 'token', 'another');
    await redisClient.del(lockKey);
  }

  async function lockOf(redisClient: Redis, id: string): Promise<string> {
    const [key = ''] = await redisClient.keys(`*:default:${id}:lock`);
    return key;
  }
});

function five(name: string, priority: number): ReturnType<typeof newJob>[] {
  return [1, 2, 3, 4, 5].map((n) => newJob(`${name}-${n}`, { priority }));
}

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}
