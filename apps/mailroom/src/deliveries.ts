import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Redis } from 'ioredis';
import { dependency } from 'thereafter';
import { Settings } from './settings.ts';

/** Which mails are known to be out, for every process that sends some. */
export abstract class Deliveries {
  abstract has(key: string): Promise<boolean>;
  abstract add(key: string): Promise<void>;
}

class FileDeliveries extends Deliveries {
  readonly #has;
  readonly #add;

  constructor(database: DatabaseSync) {
    super();
    this.#has = database.prepare('SELECT 1 FROM deliveries WHERE key = ?');
    this.#add = database.prepare('INSERT OR IGNORE INTO deliveries (key) VALUES (?)');
  }

  override async has(key: string): Promise<boolean> {
    return this.#has.get(key) !== undefined;
  }

  override async add(key: string): Promise<void> {
    this.#add.run(key);
  }
}

const KEPT_SECONDS = 30 * 24 * 3600;

class RedisDeliveries extends Deliveries {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    super();
    this.#redis = redis;
  }

  override async has(key: string): Promise<boolean> {
    return (await this.#redis.exists(`mailroom:sent:${key}`)) === 1;
  }

  override async add(key: string): Promise<void> {
    await this.#redis.set(`mailroom:sent:${key}`, '1', 'EX', KEPT_SECONDS);
  }
}

const BUSY_TIMEOUT_MS = 2000;

/** On Redis when the jobs are there, else in a file beside theirs. */
export const openDeliveries = dependency(
  { settings: Settings },
  function* ({ settings: { REDIS_URL, DELIVERIES_FILE } }): Generator<Deliveries, void> {
    if (REDIS_URL !== undefined) {
      const redis = new Redis(REDIS_URL, { maxRetriesPerRequest: 1 });
      redis.on('error', () => undefined); // the command that meets it fails with it, and its job is retried
      yield new RedisDeliveries(redis);
      redis.disconnect();
      return;
    }
    mkdirSync(dirname(DELIVERIES_FILE), { recursive: true });
    const database = new DatabaseSync(DELIVERIES_FILE, { timeout: BUSY_TIMEOUT_MS });
    database.exec(
      `PRAGMA journal_mode = WAL;
       CREATE TABLE IF NOT EXISTS deliveries (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`,
    );
    yield new FileDeliveries(database);
    database.close();
  },
  { scope: 'singleton' },
);
