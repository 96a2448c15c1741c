import type { Clock } from '../clock.ts';

/** A clock that stands still until it is moved, so that a test can make a day pass at once. */
export class ManualClock implements Clock {
  #nowMs: number;
  readonly #alarms = new Set<{ readonly timeMs: number; readonly callback: () => void }>();

  /** @param nowMs - Where it begins, in milliseconds since 1970; default now. */
  constructor(nowMs: number = Date.now()) {
    this.#nowMs = nowMs;
  }

  /** Where it stands, in milliseconds since 1970. */
  now(): number {
    return this.#nowMs;
  }

  /**
   * Calls back when it is moved to that time, or in the next turn of the event loop if it is past it.
   *
   * @returns Calls it off.
   */
  at(timeMs: number, callback: () => void): () => void {
    const alarm = { timeMs, callback };
    this.#alarms.add(alarm);
    // Like a timer: never within the call that sets it.
    if (timeMs <= this.#nowMs) setImmediate(() => this.#ring(alarm));
    return () => this.#alarms.delete(alarm);
  }

  /**
   * Moves on, and calls back what becomes due, in its order, each at its time.
   *
   * @param byMs - By how many milliseconds.
   */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (;;) {
      const [first] = [...this.#alarms]
        .filter(({ timeMs }) => timeMs <= endMs)
        .toSorted((a, b) => a.timeMs - b.timeMs);
      if (!first) break;
      this.#nowMs = Math.max(this.#nowMs, first.timeMs);
      this.#ring(first);
    }
    this.#nowMs = endMs;
  }

  #ring(alarm: { readonly callback: () => void; readonly timeMs: number }): void {
    if (this.#alarms.delete(alarm)) alarm.callback();
  }
}
