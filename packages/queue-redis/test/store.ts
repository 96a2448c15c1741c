import { randomUUID } from 'node:crypto';
import {
  systemClock,
  type Clock,
  type JobDriver,
  type JobEvent,
  type Attempt,
  type Logger,
  type RunAttempt,
  type Verdict,
} from '@thereafter/queue/driver';
import { bullmq } from '../src/index.ts';
import type { RedisServer } from './support/redis.ts';

const DAY_MS = 86_400_000;

/** Lines that a driver wrote: what it said, and how loudly. */
export class Lines implements Logger {
  readonly all: { readonly level: 'info' | 'error'; readonly message: string }[] = [];

  info(_fields: object | string, message = ''): void {
    this.all.push({ level: 'info', message });
  }

  error(_fields: object | string, message = ''): void {
    this.all.push({ level: 'error', message });
  }
}

export interface OpenStore extends AsyncDisposable {
  readonly driver: JobDriver;
  readonly lines: Lines;
}

/** A driver that has been started, under a prefix of its own unless one is given. */
export async function openStore(
  { url }: Pick<RedisServer, 'url'>,
  { prefix = randomUUID(), clock = systemClock }: { prefix?: string; clock?: Clock } = {},
): Promise<OpenStore> {
  const driver = bullmq({ url, prefix });
  const lines = new Lines();
  const keepMs = { completed: DAY_MS, failed: DAY_MS, cancelled: DAY_MS };
  await driver.start({ clock, log: lines, keepMs });
  return {
    driver,
    lines,
    async [Symbol.asyncDispose]() {
      await driver.stop({ timeoutMs: 0 });
    },
  };
}

/**
 * Resolves when jobs have ended, or done what else is asked for, so many times. To be called before jobs
 * are enqueued, which then waits until they are listened to; or when something was listened to before.
 */
export function happens(driver: JobDriver, type: JobEvent['type'], times = 1): Promise<void> {
  return new Promise((resolve) => {
    let left = times;
    const off = driver.onEvent((event) => {
      if (event.type !== type || (left -= 1) > 0) return;
      off();
      resolve();
    });
  });
}

/** Runs jobs without an engine: settles each attempt by what a function says of it. */
export function settling(
  decide: (attempt: Attempt) => Promise<Verdict>,
  onLate: (attempt: Attempt) => void = () => undefined,
): RunAttempt {
  return async (attempt) => {
    const counts = await attempt.settle(await decide(attempt));
    if (!counts) onLate(attempt);
  };
}

/** Completes each job. */
export const complete: RunAttempt = settling(async () => ({ type: 'complete' }));
