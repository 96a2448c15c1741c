import { afterAll, beforeAll, describe } from 'vitest';
import { bullmq } from '../src/index.ts';
import { describeDriver } from '@thereafter/queue-conformance';
import { hasRedis, startRedis, type RedisServer } from './support/redis.ts';
import { openDriver } from './open-bullmq.ts';

describe.runIf(hasRedis)('on Redis', () => {
  let redis: RedisServer;
  let places = 0;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  describeDriver('bullmq', {
    create() {
      const address = `${redis.url} place-${(places += 1)}`;
      return {
        address,
        open: () => openDriver(address),
        async [Symbol.asyncDispose]() {},
      };
    },
    capabilities: bullmq({ url: 'redis://unused' }).capabilities,
    childModule: new URL('./open-bullmq.ts', import.meta.url),
    sharesPlace: true,
    lease: '1s',
  });
});
