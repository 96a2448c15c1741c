import type { OpenStore } from './open.ts';

/** Most jobs that one transaction makes available. */
const CHUNK = 500;
/** How long to wait before trying again what failed. */
const AGAIN_MS = 1_000;

interface Job {
  readonly id: string;
  readonly queue: string;
}

/** Makes scheduled jobs available when their time has come. */
export class DueJobs {
  readonly #store: OpenStore;
  readonly #wake: (queue: string) => void;
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined = undefined;
  #isMoving = false;
  #isClosed = false;

  /** @param wake - Told of each queue that has a job more. */
  constructor(store: OpenStore, wake: (queue: string) => void) {
    this.#store = store;
    this.#wake = wake;
  }

  /** A job is scheduled for that time. */
  expect(runAtMs: number): void {
    if (runAtMs >= this.#armedForMs || this.#isMoving || this.#isClosed) return;
    this.#disarm?.();
    this.#armedForMs = runAtMs;
    this.#disarm = this.#store.clock.at(runAtMs, () => void this.#move());
  }

  /** Looks up when the next one is due: others may have scheduled some. */
  look(): void {
    const next = this.#store.sql.get(
      `SELECT run_at FROM jobs INDEXED BY jobs_scheduled WHERE state = 'scheduled' AND holder IS NULL
       ORDER BY run_at LIMIT 1`,
    );
    if (next) this.expect(Number(next.run_at));
  }

  close(): void {
    this.#isClosed = true;
    this.#disarm?.();
  }

  async #move(): Promise<void> {
    this.#isMoving = true;
    this.#armedForMs = Number.POSITIVE_INFINITY;
    try {
      let moved: readonly Job[] | undefined;
      while (!this.#isClosed && (!moved || moved.length === CHUNK)) {
        moved = await this.#store.commit.run(() => this.#moveChunk());
        for (const job of moved) this.#store.moved(job, 'available');
      }
      this.#isMoving = false;
      if (!this.#isClosed) await this.#store.commit.read(() => this.look());
    } catch (error) {
      this.#isMoving = false;
      if (this.#isClosed) return;
      this.#store.log.error(
        { err: error },
        'scheduled jobs cannot be made available; trying again',
      );
      setTimeout(() => this.expect(this.#store.clock.now()), AGAIN_MS).unref();
    }
  }

  #moveChunk(): readonly Job[] {
    const { sql, commit, clock } = this.#store;
    const rows = sql.all(
      `UPDATE jobs SET state = 'available' WHERE seq IN (
         SELECT seq FROM jobs INDEXED BY jobs_scheduled
         WHERE state = 'scheduled' AND holder IS NULL AND run_at <= ? ORDER BY run_at LIMIT ?
       ) RETURNING id, queue`,
      clock.now(),
      CHUNK,
    );
    return rows.map((row) => {
      const job = { id: String(row.id), queue: String(row.queue) };
      commit.tally.move(job.queue, 'scheduled', 'available');
      this.#wake(job.queue);
      return job;
    });
  }
}
