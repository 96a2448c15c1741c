import { MAX_TIMER_MS } from './duration.ts';

/**
 * Waits for work, but no longer than this.
 *
 * @returns Whether it ended.
 * @throws What the work rejects with, in time.
 */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    // A timer of Node fires at once beyond its limit: a generous deadline would be none.
    timer = setTimeout(() => resolve(false), Math.min(Math.max(0, timeoutMs), MAX_TIMER_MS));
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
