import type { JobRecord, RunJob, WorkerHandle, WorkOptions } from '../driver.ts';
import { Attempt } from './attempt.ts';
import type { Member } from './group-commit.ts';
import { RECORD_COLUMNS, toJobRow, toRecord, type JobRow } from './record.ts';
import type { OpenStore } from './store.ts';

/** Most jobs of a queue that one transaction claims: the event loop must have its turn. */
const MAX_CLAIM = 256;
/** How long a claim that failed waits before the next. */
const AGAIN_MS = 1_000;
/**
 * How long a suspect has the process to itself, and how long it waits for it to become empty. A job
 * that kills its process does so soon; one that takes hours must not stop everything else.
 */
const QUARANTINE_MS = 5_000;

/** What works on one queue in this process. */
export interface QueueWorker {
  readonly queue: string;
  readonly concurrency: number;
  readonly run: RunJob;
  readonly onStale: ((job: JobRecord) => void) | undefined;
  /** Attempts that are not settled. */
  active: number;
  /** Those of them whose outcome is in the transaction at hand: their places are free in it. */
  settling: number;
  mayHaveWork: boolean;
  isQuiet: boolean;
}

/**
 * Claims jobs for the workers of this process and keeps what runs.
 *
 * A job that lost its worker is a suspect until it has ended once: it may have been what killed the
 * process. Suspects run one at a time and with nothing beside them, so that a poisonous one takes no
 * neighbours with it.
 */
export class WorkerPool implements Member<Attempt[]> {
  readonly store: OpenStore;
  readonly holder: number;
  readonly #workers: QueueWorker[] = [];
  readonly #attempts = new Map<number, Attempt>();
  /** False when it is known that no suspect waits. */
  #maySuspect = true;
  #suspect: Attempt | undefined = undefined;
  /** Since when a suspect waits for the process to become empty. */
  #drainingSinceMs: number | undefined = undefined;
  #quarantineTimer: NodeJS.Timeout | undefined = undefined;
  #againTimer: NodeJS.Timeout | undefined = undefined;
  #whenIdle: (() => void) | undefined = undefined;

  constructor(store: OpenStore) {
    this.store = store;
    this.holder = store.presence.id;
  }

  get queues(): string[] {
    return [...new Set(this.#workers.filter((w) => !w.isQuiet).map((w) => w.queue))];
  }

  work(queue: string, { concurrency, onStale }: WorkOptions, run: RunJob): WorkerHandle {
    const worker: QueueWorker = {
      queue,
      concurrency,
      run,
      onStale,
      active: 0,
      settling: 0,
      mayHaveWork: true,
      isQuiet: false,
    };
    this.#workers.push(worker);
    this.#maySuspect = true;
    this.store.commit.wantLast();
    return { quiet: () => void (worker.isQuiet = true) };
  }

  /** Jobs of the queue may have become available. */
  wake(queue: string): void {
    for (const worker of this.#workers) {
      if (worker.queue !== queue) continue;
      worker.mayHaveWork = true;
      this.wakeIfMore(worker);
    }
  }

  /** Anything may have become available, suspects included. */
  wakeAll(): void {
    this.#maySuspect = true;
    for (const worker of this.#workers) this.wake(worker.queue);
  }

  wakeIfMore(worker: QueueWorker): void {
    if (worker.mayHaveWork && !worker.isQuiet) this.store.commit.wantLast();
  }

  /** Tells the job to stop, if it runs here. */
  cancel(seq: number): void {
    this.#attempts.get(seq)?.running.stop('cancelled');
  }

  ended(attempt: Attempt): void {
    attempt.worker.active -= 1;
    this.#attempts.delete(attempt.seq);
    if (this.#suspect === attempt) this.#suspect = undefined;
    if (attempt.isSuspect || this.#drainingSinceMs !== undefined) this.store.commit.wantLast();
    if (this.#attempts.size === 0) this.#whenIdle?.();
  }

  quiet(): void {
    for (const worker of this.#workers) worker.isQuiet = true;
  }

  /** @returns What had not ended after the time. */
  async drain(timeoutMs: number): Promise<Attempt[]> {
    if (this.#attempts.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#whenIdle = resolve;
      const timer = setTimeout(resolve, timeoutMs);
      await promise;
      clearTimeout(timer);
    }
    return [...this.#attempts.values()];
  }

  close(): void {
    clearTimeout(this.#quarantineTimer);
    clearTimeout(this.#againTimer);
  }

  apply(): Attempt[] {
    if (this.#isSuspectAlone()) return [];
    if (this.#maySuspect) {
      const verdict = this.#claimSuspect();
      if (verdict) return verdict;
    }
    return this.#workers.flatMap((worker) => this.#claim(worker));
  }

  done(claimed: Attempt[]): void {
    for (const attempt of claimed) {
      attempt.worker.active += 1;
      this.#attempts.set(attempt.seq, attempt);
      if (attempt.isSuspect) this.#suspect = attempt;
      this.store.moved(attempt.record, 'started');
      attempt.start();
    }
    for (const worker of this.#workers) {
      if (worker.active < worker.concurrency && claimed.length > 0) this.wakeIfMore(worker);
    }
  }

  undone(): void {
    for (const worker of this.#workers) worker.mayHaveWork = true;
  }

  failed(error: unknown): void {
    this.store.log.error({ err: error }, 'jobs cannot be claimed; trying again');
    clearTimeout(this.#againTimer);
    this.#againTimer = setTimeout(() => this.wakeAll(), AGAIN_MS).unref();
  }

  #claim(worker: QueueWorker): Attempt[] {
    const free = worker.concurrency - worker.active + worker.settling;
    if (free <= 0 || worker.isQuiet || !worker.mayHaveWork) return [];
    const wanted = Math.min(free, MAX_CLAIM);
    const rows = this.store.sql
      .all(
        `UPDATE jobs SET state = 'running', attempt = attempt + 1, started_at = ?1, holder = ?2
         WHERE seq IN (
           SELECT seq FROM jobs INDEXED BY jobs_available
           WHERE state = 'available' AND suspect = 0 AND queue = ?3
           ORDER BY priority, ready_at, seq
           LIMIT iif(EXISTS (SELECT 1 FROM pauses WHERE queue = ?3), 0, ?4)
         )
         RETURNING ${RECORD_COLUMNS}`,
        this.store.clock.now(),
        this.holder,
        worker.queue,
        wanted,
      )
      .map(toJobRow);
    if (rows.length < wanted) worker.mayHaveWork = false;
    if (rows.length > 1) rows.sort(byTurn); // RETURNING has no order
    return rows.map((row) => this.#toAttempt(worker, row, false));
  }

  /** @returns What to claim in place of everything else; undefined when suspects are no matter. */
  #claimSuspect(): Attempt[] | undefined {
    const workers = this.#workers.filter(({ isQuiet }) => !isQuiet);
    const waiting = workers.filter(({ queue }) => this.#findSuspect(queue) !== undefined);
    if (waiting.length === 0) this.#maySuspect = false;
    const worker = waiting.find((w) => w.active - w.settling < w.concurrency);
    if (!worker) {
      this.#drainingSinceMs = undefined;
      return undefined;
    }
    if (this.#mustWaitForOthers()) return [];
    this.#drainingSinceMs = undefined;
    const row = this.store.sql.get(
      `UPDATE jobs SET state = 'running', attempt = attempt + 1, started_at = ?, holder = ? WHERE seq = ?
       RETURNING ${RECORD_COLUMNS}`,
      this.store.clock.now(),
      this.holder,
      this.#findSuspect(worker.queue) ?? null,
    );
    return row ? [this.#toAttempt(worker, toJobRow(row), true)] : [];
  }

  #findSuspect(queue: string): number | undefined {
    const row = this.store.sql.get(
      `SELECT seq FROM jobs INDEXED BY jobs_suspect
       WHERE state = 'available' AND suspect = 1 AND queue = ?1
         AND NOT EXISTS (SELECT 1 FROM pauses WHERE queue = ?1)
       ORDER BY priority, ready_at, seq LIMIT 1`,
      queue,
    );
    return row === undefined ? undefined : Number(row.seq);
  }

  #isSuspectAlone(): boolean {
    if (!this.#suspect) return false;
    if (this.#isWithinQuarantine(this.#suspect.sinceMs)) return true;
    this.#suspect = undefined; // it has been harmless for long enough
    return false;
  }

  #mustWaitForOthers(): boolean {
    if (this.#workers.every(({ active, settling }) => active === settling)) return false;
    this.#drainingSinceMs ??= performance.now();
    return this.#isWithinQuarantine(this.#drainingSinceMs);
  }

  /** Looks again when it is over. */
  #isWithinQuarantine(sinceMs: number): boolean {
    const restMs = sinceMs + QUARANTINE_MS - performance.now();
    if (restMs <= 0) return false;
    clearTimeout(this.#quarantineTimer);
    this.#quarantineTimer = setTimeout(() => this.store.commit.wantLast(), restMs).unref();
    return true;
  }

  #toAttempt(worker: QueueWorker, row: JobRow, isSuspect: boolean): Attempt {
    this.store.commit.tally.move(row.queue, 'available', 'running');
    return new Attempt(this, worker, { seq: row.seq, record: toRecord(row), isSuspect });
  }
}

function byTurn(a: JobRow, b: JobRow): number {
  return a.priority - b.priority || a.ready_at - b.ready_at || a.seq - b.seq;
}
