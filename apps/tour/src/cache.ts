import { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { dependency } from 'thereafter';
import { ReadyChecks } from './ready-checks.ts';
import { Settings } from './settings.ts';

export interface CachedValue {
  readonly value: string;
  /** Whole seconds until it is forgotten. */
  readonly ttl: number;
}

/** Keeps texts for a time. */
export abstract class Cache {
  abstract set(key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Nothing when it was never set, or is forgotten. */
  abstract get(key: string): Promise<CachedValue | undefined>;
}

const MAX_KEYS = 10_000;

/** A cache in this process: gone when it ends, and not shared with others. */
export class EmbeddedCache extends Cache {
  readonly #entries: LRUCache<string, string>;

  /** @param clock - What tells the time, in milliseconds. */
  constructor(clock: { now(): number } = performance) {
    super();
    this.#entries = new LRUCache({ max: MAX_KEYS, perf: clock, ttlResolution: 0 });
  }

  override async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    this.#entries.set(key, value, { ttl: ttlSeconds * 1000 });
  }

  override async get(key: string): Promise<CachedValue | undefined> {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    return { value, ttl: Math.ceil(this.#entries.getRemainingTTL(key) / 1000) };
  }
}

class RedisCache extends Cache {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    super();
    this.#redis = redis;
  }

  override async set(key: string, value: string, ttlSeconds: number): Promise<void> {
    await this.#redis.set(key, value, 'EX', ttlSeconds);
  }

  override async get(key: string): Promise<CachedValue | undefined> {
    const [value, ttl] = await Promise.all([this.#redis.get(key), this.#redis.ttl(key)]);
    return value === null ? undefined : { value, ttl };
  }
}

/** The Redis of `REDIS_URL`, or a cache in this process. */
export const openCache = dependency(
  { settings: Settings, checks: ReadyChecks },
  function* ({ settings, checks }): Generator<Cache, void> {
    if (settings.REDIS_URL === undefined) {
      yield new EmbeddedCache();
      return;
    }
    // What cannot be asked soon fails: the task that asked is reported.
    const redis = new Redis(settings.REDIS_URL, { maxRetriesPerRequest: 1 });
    redis.on('error', () => undefined); // the command that meets it fails with it, and so does the check
    checks['cache'] = () => redis.ping();
    yield new RedisCache(redis);
    redis.disconnect();
  },
  { scope: 'singleton' },
);
