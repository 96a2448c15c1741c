import type { DriverStart } from '../driver.ts';
import { FINAL_STATES, type FinalState } from '../states.ts';
import { IS_FINAL } from './job-rows.ts';
import type { OpenStore } from './open.ts';

/** Most jobs that one transaction forgets. */
const CHUNK = 500;
/** Shortest time between two rounds: under load some job is over its time at every moment. */
const PAUSE_MS = 1_000;

/** Forgets jobs that ended long enough ago. */
export class Retention {
  readonly #store: OpenStore;
  readonly #keepMs: DriverStart['keepMs'];
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined = undefined;
  #pause: NodeJS.Timeout | undefined = undefined;
  #isClosed = false;

  constructor(store: OpenStore, keepMs: DriverStart['keepMs']) {
    this.#store = store;
    this.#keepMs = keepMs;
  }

  /** A job has ended at that time. */
  expect(state: FinalState, finishedAtMs: number): void {
    const dueMs = finishedAtMs + this.#keepMs[state];
    if (dueMs >= this.#armedForMs || this.#pause || this.#isClosed) return;
    this.#disarm?.();
    this.#armedForMs = dueMs;
    this.#disarm = this.#store.clock.at(dueMs, () => void this.#sweep());
  }

  /** Looks up which is the next. */
  look(): void {
    for (const state of FINAL_STATES) {
      const oldest = this.#store.sql.get(
        `SELECT finished_at FROM jobs INDEXED BY jobs_ended
         WHERE state = ? AND ${IS_FINAL} ORDER BY finished_at LIMIT 1`,
        state,
      );
      if (oldest) this.expect(state, Number(oldest.finished_at));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm?.();
    clearTimeout(this.#pause);
  }

  async #sweep(): Promise<void> {
    this.#armedForMs = Number.POSITIVE_INFINITY;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#store.commit.read(() => this.look()).catch((error: unknown) => this.#report(error));
    }, PAUSE_MS).unref();
    try {
      for (const state of FINAL_STATES) {
        let forgotten = CHUNK;
        while (!this.#isClosed && forgotten === CHUNK) {
          forgotten = await this.#store.commit.run(() => this.#forgetChunk(state));
        }
      }
    } catch (error) {
      this.#report(error);
    }
  }

  #forgetChunk(state: FinalState): number {
    const { sql, commit, clock } = this.#store;
    const nowMs = clock.now();
    const forgotten = sql.all(
      `DELETE FROM jobs WHERE seq IN (
         SELECT seq FROM jobs INDEXED BY jobs_ended
         WHERE state = ?1 AND ${IS_FINAL} AND finished_at <= ?2
           AND ifnull(unique_until, 0) <= ?3 -- the key is still taken
         ORDER BY finished_at LIMIT ?4
       ) RETURNING queue`,
      state,
      nowMs - this.#keepMs[state],
      nowMs,
      CHUNK,
    );
    for (const { queue } of forgotten) commit.tally.add(String(queue), state, -1);
    return forgotten.length;
  }

  #report(error: unknown): void {
    if (!this.#isClosed)
      this.#store.log.error({ err: error }, 'ended jobs cannot be forgotten yet');
  }
}
