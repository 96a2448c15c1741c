import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { EmbeddedCache } from '../src/cache.ts';
import { hasRedis, startRedis } from './support/redis.ts';
import { serveTour, type ServedTour } from './support/serve-tour.ts';

const keysOf7 = [
  { key: 'user:7', value: '{"id":7,"name":"User 7"}', ttl: expect.any(Number) },
  { key: 'pref:7', value: '{"theme":"system","language":"en"}', ttl: expect.any(Number) },
];

async function expectWarmCache(tour: ServedTour): Promise<void> {
  expect((await fetch(`${tour.url}/cache/user:7`)).status).toBe(404);
  expect(await tour.ask('POST', '/login/?user_id=7')).toEqual({ message: 'Logged in' });
  const cached = [
    await tour.ask('GET', '/cache/user:7'),
    await tour.ask('GET', '/cache/pref:7'),
  ] as { ttl: number }[];
  expect(cached).toEqual(keysOf7);
  for (const { ttl } of cached) {
    expect(ttl).toBeLessThanOrEqual(3600);
    expect(ttl).toBeGreaterThan(1800); // an hour, however busy the machine
  }
}

describe('login', () => {
  it('warms the cache of the process', async () => {
    await using tour = await serveTour();
    await expectWarmCache(tour);
    const missing = await fetch(`${tour.url}/cache/user:8`);
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ detail: "There is nothing under 'user:8'." });
  });

  describe.skipIf(!hasRedis)('with REDIS_URL', () => {
    it('warms the cache in Redis', async () => {
      await using redis = await startRedis();
      await using tour = await serveTour({ env: { REDIS_URL: redis.url } });
      await expectWarmCache(tour);
      const client = new Redis(redis.url);
      const keys = await client.keys('*'); // the jobs have theirs, with a prefix
      expect(keys.filter((key) => !key.startsWith('thereafter:')).toSorted()).toEqual([
        'pref:7',
        'user:7',
      ]);
      expect(await client.ttl('pref:7')).toBeGreaterThan(1800);
      await client.set('session:7', 'of another program');
      expect((await fetch(`${tour.url}/cache/session:7`)).status).toBe(404);
      client.disconnect();
      expect(await tour.ask('GET', '/readyz')).toEqual({
        status: 'ok',
        checks: { mail: 'ok', cache: 'ok' },
      });
    });

    it('is not ready, and reports the task, when Redis is gone', async () => {
      await using redis = await startRedis();
      await using tour = await serveTour({ env: { REDIS_URL: redis.url } });
      await tour.ask('GET', '/readyz');
      await redis.stop();
      const failures: string[] = [];
      tour.app.onTaskError((_, { taskName }) => failures.push(taskName));
      expect(await tour.ask('POST', '/login/?user_id=7')).toEqual({ message: 'Logged in' });
      expect(failures).toEqual(['warmCache']);
      expect((await fetch(`${tour.url}/readyz`)).status).toBe(503);
    });
  });
});

describe('EmbeddedCache', () => {
  it('forgets a value when its time is over', async () => {
    let nowMs = 1000;
    const cache = new EmbeddedCache({ now: () => nowMs });
    await cache.set('a', '1', 60);
    nowMs += 59_000;
    expect(await cache.get('a')).toEqual({ value: '1', ttl: 1 });
    nowMs += 1001;
    expect(await cache.get('a')).toBe(undefined);
  });
});
