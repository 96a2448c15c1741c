/** The longest wait of a timer of Node, 24.8 days: beyond, it fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Where the engine and its drivers get the time from, so that a test can make a day pass at once. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /**
   * Calls back at a time, or at once if it has passed; longer waits than a timer of Node can hold
   * (24.8 days) included. Does not keep the process alive.
   *
   * @returns Calls it off.
   */
  at(timeMs: number, callback: () => void): () => void;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  at(timeMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const waitMs = timeMs - Date.now();
      timer = setTimeout(
        () => (Date.now() >= timeMs ? callback() : arm()),
        Math.min(Math.max(waitMs, 0), MAX_TIMER_MS),
      );
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/**
 * Waits for work, but no longer than this. Measures with a timer, whatever clock jobs have.
 *
 * @returns Whether it ended in time.
 * @throws What the work rejects with, in time.
 */
export async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), Math.min(Math.max(0, timeoutMs), MAX_TIMER_MS));
  });
  try {
    return await Promise.race([work.then(() => true), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
