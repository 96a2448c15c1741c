import type { JobDriver } from '@thereafter/queue/driver';
import { BullmqDriver, type BullmqOptions } from './driver.ts';

export type { BullmqOptions } from './driver.ts';
export { RedisUnavailableError } from './errors.ts';

/**
 * Keeps jobs in Redis 6.2 or later, or Valkey, by BullMQ: for workers on many machines. Needs the packages
 * `bullmq` and `ioredis`.
 *
 * What was acknowledged survives the death of every process, Redis included if it writes a log
 * (`appendonly yes`). It must not throw keys away (`maxmemory-policy noeviction`). Both are checked at
 * start, and what is wrong is logged as an error. Nothing is connected before the app starts.
 */
export function bullmq(options: BullmqOptions): JobDriver {
  return new BullmqDriver(options);
}
