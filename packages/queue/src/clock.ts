import { MAX_TIMER_MS } from '@thereafter/tasks';

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
