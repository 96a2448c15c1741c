import { within } from '../clock.ts';
import {
  Attempt,
  type RunAttempt,
  type Verdict,
  type WorkerHandle,
  type WorkOptions,
} from '../driver.ts';
import type { JobState } from '../states.ts';
import type { Member } from './group-commit.ts';
import { RECORD_COLUMNS, toJobRow, toRecord, type JobRow } from './job-rows.ts';
import { settle, type Fence } from './moves.ts';
import type { OpenStore } from './open.ts';

/** Most jobs of a queue that one transaction claims: the event loop must have its turn. */
const MAX_CLAIM = 256;
/** How long to wait before that is tried again which could not be written. */
const AGAIN_MS = 1_000;
/**
 * How long a suspect has the process to itself, and how long it waits for it to become empty. A job
 * that kills its process does so soon; one that takes hours must not stop everything else.
 */
const QUARANTINE_MS = 5_000;

/** A queue that this process works on. */
interface WorkedQueue {
  readonly name: string;
  readonly concurrency: number;
  readonly run: RunAttempt;
  /** Attempts that are not settled. */
  active: number;
  /** Those of them whose verdict is in the transaction at hand: their places are free in it. */
  settling: number;
  mayHaveWork: boolean;
  isQuiet: boolean;
}

/**
 * This process as a worker: claims jobs of the queues that it works on, and keeps what runs.
 *
 * A job that lost its worker is a suspect until it has ended once: it may have been what killed the
 * process. Suspects run one at a time and with nothing beside them, so that a poisonous one takes no
 * neighbours with it.
 */
export class Worker implements Member<SqliteAttempt[]> {
  readonly store: OpenStore;
  readonly holder: number;
  readonly #queues: WorkedQueue[] = [];
  readonly #attempts = new Map<number, SqliteAttempt>();
  /** False when it is known that no suspect waits. */
  #maySuspect = true;
  #suspect: SqliteAttempt | undefined = undefined;
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
    return [...new Set(this.#queues.filter(({ isQuiet }) => !isQuiet).map(({ name }) => name))];
  }

  work(name: string, { concurrency }: WorkOptions, run: RunAttempt): WorkerHandle {
    const queue: WorkedQueue = {
      name,
      concurrency,
      run,
      active: 0,
      settling: 0,
      mayHaveWork: true,
      isQuiet: false,
    };
    this.#queues.push(queue);
    this.#maySuspect = true;
    this.store.commit.wantLast();
    return { quiet: () => void (queue.isQuiet = true) };
  }

  /** Jobs of the queue may have become available. */
  wake(name: string): void {
    for (const queue of this.#queues) {
      if (queue.name !== name) continue;
      queue.mayHaveWork = true;
      this.wakeIfMore(queue);
    }
  }

  /** Anything may have become available, suspects included. */
  wakeAll(): void {
    this.#maySuspect = true;
    for (const { name } of this.#queues) this.wake(name);
  }

  wakeIfMore(queue: WorkedQueue): void {
    if (queue.mayHaveWork && !queue.isQuiet) this.store.commit.wantLast();
  }

  /** Tells the job to stop, if it runs here. */
  cancel(seq: number): void {
    this.#attempts.get(seq)?.stop('cancelled');
  }

  ended(attempt: SqliteAttempt): void {
    attempt.queue.active -= 1;
    this.#attempts.delete(attempt.seq);
    if (this.#suspect === attempt) this.#suspect = undefined;
    if (attempt.isSuspect || this.#drainingSinceMs !== undefined) this.store.commit.wantLast();
    if (this.#attempts.size === 0) this.#whenIdle?.();
  }

  quiet(): void {
    for (const queue of this.#queues) queue.isQuiet = true;
  }

  /** @returns What had not ended after the time. */
  async drain(timeoutMs: number): Promise<SqliteAttempt[]> {
    if (this.#attempts.size > 0) {
      await within(timeoutMs, new Promise<void>((resolve) => (this.#whenIdle = resolve)));
    }
    return [...this.#attempts.values()];
  }

  close(): void {
    clearTimeout(this.#quarantineTimer);
    clearTimeout(this.#againTimer);
  }

  apply(): SqliteAttempt[] {
    if (this.#isSuspectAlone()) return [];
    if (this.#maySuspect) {
      const verdict = this.#claimSuspect();
      if (verdict) return verdict;
    }
    return this.#queues.flatMap((queue) => this.#claim(queue));
  }

  done(claimed: SqliteAttempt[]): void {
    for (const attempt of claimed) {
      attempt.queue.active += 1;
      this.#attempts.set(attempt.seq, attempt);
      if (attempt.isSuspect) this.#suspect = attempt;
      this.store.moved(attempt.record, 'running');
      void attempt.queue.run(attempt);
    }
    for (const queue of this.#queues) {
      if (queue.active < queue.concurrency && claimed.length > 0) this.wakeIfMore(queue);
    }
  }

  undone(): void {
    for (const queue of this.#queues) queue.mayHaveWork = true;
  }

  failed(error: unknown): void {
    this.store.log.error({ err: error }, 'jobs cannot be claimed; trying again');
    clearTimeout(this.#againTimer);
    this.#againTimer = setTimeout(() => this.wakeAll(), AGAIN_MS).unref();
  }

  #claim(queue: WorkedQueue): SqliteAttempt[] {
    const free = queue.concurrency - queue.active + queue.settling;
    if (free <= 0 || queue.isQuiet || !queue.mayHaveWork) return [];
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
        queue.name,
        wanted,
      )
      .map(toJobRow);
    if (rows.length < wanted) queue.mayHaveWork = false;
    if (rows.length > 1) rows.sort(byTurn); // RETURNING has no order
    return rows.map((row) => this.#toAttempt(queue, row, false));
  }

  /** @returns What to claim in place of everything else; undefined when suspects are no matter. */
  #claimSuspect(): SqliteAttempt[] | undefined {
    const waiting = this.#queues.filter(
      ({ isQuiet, name }) => !isQuiet && this.#findSuspect(name) !== undefined,
    );
    if (waiting.length === 0) this.#maySuspect = false;
    const queue = waiting.find((w) => w.active - w.settling < w.concurrency);
    if (!queue) {
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
      this.#findSuspect(queue.name) ?? null,
    );
    return row ? [this.#toAttempt(queue, toJobRow(row), true)] : [];
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
    if (this.#queues.every(({ active, settling }) => active === settling)) return false;
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

  #toAttempt(queue: WorkedQueue, row: JobRow, isSuspect: boolean): SqliteAttempt {
    this.store.commit.tally.move(row.queue, 'available', 'running');
    return new SqliteAttempt(this, queue, row, isSuspect);
  }
}

/** A claimed job in this process, from the claim to the commit of its verdict. */
class SqliteAttempt extends Attempt implements Fence, Member<JobState | undefined> {
  readonly seq: number;
  readonly holder: number;
  readonly isSuspect: boolean;
  /** When it began, on the monotonic clock. */
  readonly sinceMs: number = performance.now();
  readonly queue: WorkedQueue;
  readonly #worker: Worker;
  #verdict: Verdict | undefined = undefined;
  #settledAtMs = 0;
  #tell: ((counts: boolean) => void) | undefined = undefined;

  constructor(worker: Worker, queue: WorkedQueue, row: JobRow, isSuspect: boolean) {
    super(toRecord(row));
    this.seq = row.seq;
    this.holder = worker.holder;
    this.isSuspect = isSuspect;
    this.queue = queue;
    this.#worker = worker;
  }

  settle(verdict: Verdict): Promise<boolean> {
    if (this.stopReason === 'handed-back') return Promise.resolve(false);
    this.#verdict = verdict;
    return new Promise((resolve) => {
      this.#tell = resolve;
      this.#worker.store.commit.add(this);
    });
  }

  apply(): JobState | undefined {
    this.queue.settling += 1;
    this.#worker.wakeIfMore(this.queue); // in this very transaction
    if (this.#verdict === undefined) return undefined; // only settle() puts it into a batch
    const { store } = this.#worker;
    this.#settledAtMs = store.clock.now();
    const state = settle(store, this, this.#verdict, this.#settledAtMs);
    if (state === 'available') this.#worker.wake(this.record.queue);
    return state;
  }

  undone(): void {
    this.queue.settling -= 1;
  }

  done(state: JobState | undefined): void {
    this.queue.settling -= 1;
    this.#worker.ended(this);
    this.#tell?.(state !== undefined);
    if (state === undefined) return;
    const { store } = this.#worker;
    if (state === 'scheduled' && this.#verdict && 'delayMs' in this.#verdict) {
      store.scheduled(this.#settledAtMs + this.#verdict.delayMs);
    }
    store.moved(this.record, state);
  }

  /** The verdict must not be lost, so that the job need not run again: the disk may have room soon. */
  failed(error: unknown): void {
    const { log, commit } = this.#worker.store;
    const { id, task } = this.record;
    log.error({ err: error, job: id, task }, 'the end of a job cannot be stored; trying again');
    setTimeout(() => {
      if (this.stopReason === 'handed-back') this.#tell?.(false);
      else commit.add(this);
    }, AGAIN_MS).unref();
  }
}

function byTurn(a: JobRow, b: JobRow): number {
  return a.priority - b.priority || a.ready_at - b.ready_at || a.seq - b.seq;
}
