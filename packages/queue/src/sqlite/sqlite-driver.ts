import { resolve } from 'node:path';
import type {
  Capability,
  DriverStart,
  JobDriver,
  JobEvent,
  JobRecord,
  NewJob,
  Page,
  RunJob,
  Schedule,
  WorkerHandle,
  WorkOptions,
} from '../driver.ts';
import { isFinal, type JobState } from '../states.ts';
import { DueJobs } from './due-jobs.ts';
import { insertJob, type Stored } from './enqueue.ts';
import { SqliteStoreError, toStoreError } from './errors.ts';
import { GroupCommit } from './group-commit.ts';
import { listJobs } from './list.ts';
import { openStore } from './open.ts';
import type { Durability, SqliteOptions } from './options.ts';
import { OtherProcesses } from './other-processes.ts';
import { Presence } from './presence.ts';
import { RECORD_COLUMNS, toJobRow, toRecord } from './record.ts';
import type { Rescued } from './rescue.ts';
import { Retention } from './retention.ts';
import type { Sql } from './sql.ts';
import type { OpenStore } from './store.ts';
import { readTally } from './tally.ts';
import { WorkerPool } from './worker-pool.ts';

/** Jobs of one `enqueue` that are written before the event loop has its turn. */
const ENQUEUE_CHUNK = 500;

/** Most ended jobs of other processes that are told at a time. */
const MAX_TOLD = 1_000;
/** A job that was ended at a time may be committed a little later. */
const CLOCK_SLACK_MS = 50;

/** The parts that work while the file is open. */
interface Parts {
  readonly store: OpenStore;
  readonly pool: WorkerPool;
  readonly due: DueJobs;
  readonly retention: Retention;
  readonly others: OtherProcesses;
}

/** Jobs in a file, shared by the processes of one machine. */
export class SqliteDriver implements JobDriver {
  readonly name = 'sqlite';
  readonly capabilities: ReadonlySet<Capability>;
  readonly #file: string;
  readonly #durability: Durability;
  readonly #onStatement: ((text: string) => void) | undefined;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  #parts: Parts | undefined = undefined;
  #stopping: Promise<readonly JobRecord[]> | undefined = undefined;
  #lastReadyAtMs = 0;
  #lastToldMs = 0;

  /**
   * @param onStatement - Called before each statement on the store; what it throws, the statement
   *   throws. For tests of what happens when the disk fails.
   * @throws {SqliteStoreError} `SQLITE_STORE_FILE` if no file is named.
   */
  constructor(
    { file, durability = 'process' }: SqliteOptions,
    onStatement?: (text: string) => void,
  ) {
    if (file === '' || file.startsWith(':memory:')) {
      throw new SqliteStoreError(
        'SQLITE_STORE_FILE',
        `The job store needs a path, and got ${JSON.stringify(file)}: jobs that are to outlive the ` +
          'process need a file. For jobs in memory, in tests say, take memory() of @thereafter/queue/testing.',
      );
    }
    this.#file = resolve(file);
    this.#durability = durability;
    this.#onStatement = onStatement;
    this.capabilities = new Set<Capability>([
      'progress',
      'pause',
      'snooze',
      'cancelRunning',
      'uniquePeriod',
      'list',
      ...(durability === 'power' ? (['powerLossDurable'] as const) : []),
    ]);
  }

  async start({ clock, log, keepMs }: DriverStart): Promise<void> {
    const file = this.#file;
    const sql = await openStore(file, this.#durability, this.#onStatement);
    const commit = new GroupCommit(sql, (error) => toStoreError(error, file));
    const store: OpenStore = {
      sql,
      commit,
      clock,
      log,
      presence: new Presence(file),
      readyAtMs: () => (this.#lastReadyAtMs = Math.max(this.#lastReadyAtMs, clock.now())),
      scheduled: (runAtMs) => due.expect(runAtMs),
      moved: (job, to) => this.#moved(job, to),
    };
    const pool = new WorkerPool(store);
    commit.setLast(pool);
    const due = new DueJobs(store, (queue) => pool.wake(queue));
    const parts: Parts = {
      store,
      pool,
      due,
      retention: new Retention(store, keepMs),
      others: new OtherProcesses(store, {
        onChange: () => this.#lookAround(parts),
        onRescue: (jobs) => this.#reportRescue(parts, jobs),
      }),
    };
    try {
      await parts.others.enter();
    } catch (error) {
      close(parts);
      throw error;
    }
    this.#parts = parts;
    this.#stopping = undefined;
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly Stored[]> {
    const parts = this.#open();
    const { commit } = parts.store;
    const stored =
      jobs.length <= ENQUEUE_CHUNK
        ? await commit.run(() => this.#insert(parts, jobs))
        : await commit.runLong(() => this.#insertInChunks(parts, jobs));
    for (const [index, { id, duplicate, state }] of stored.entries()) {
      const job = jobs[index];
      if (duplicate || !job) continue;
      if (state === 'scheduled' && job.isHeld !== true) parts.due.expect(job.runAtMs);
      this.#emit('stored', id, job.queue);
      if (state === 'available') this.#emit('available', id, job.queue);
    }
    return stored;
  }

  async release(jobs: readonly { readonly id: string; readonly queue: string }[]): Promise<void> {
    const parts = this.#open();
    const { sql, commit, clock, presence } = parts.store;
    const released = await commit.run(() => {
      const nowMs = clock.now();
      return jobs.map(({ id, queue }) => {
        const row = sql.get(
          `UPDATE jobs SET state = iif(run_at <= ?1, 'available', 'scheduled'),
             ready_at = iif(run_at <= ?1, ?2, run_at), holder = NULL
           WHERE id = ?3 AND state = 'scheduled' AND holder = ?4
           RETURNING state, run_at`,
          nowMs,
          parts.store.readyAtMs(),
          id,
          presence.id,
        );
        if (row?.state === 'available') {
          commit.tally.move(queue, 'scheduled', 'available');
          parts.pool.wake(queue);
        }
        return row;
      });
    });
    for (const [index, { id, queue }] of jobs.entries()) {
      const row = released[index];
      if (row?.state === 'available') this.#emit('available', id, queue);
      else if (row) parts.due.expect(Number(row.run_at));
    }
  }

  work(queue: string, options: WorkOptions, run: RunJob): WorkerHandle {
    const { pool, store } = this.#open();
    const handle = pool.work(queue, options, run);
    store.commit
      .run(() =>
        store.sql.run(
          'UPDATE workers SET queues = ? WHERE id = ?',
          JSON.stringify(pool.queues),
          store.presence.id,
        ),
      )
      .catch((error: unknown) =>
        store.log.error({ err: error, queue }, 'the queue is not announced'),
      );
    return handle;
  }

  async get(id: string): Promise<JobRecord | null> {
    const { store } = this.#open();
    const row = await store.commit.read(() =>
      store.sql.get(`SELECT ${RECORD_COLUMNS} FROM jobs WHERE id = ?`, id),
    );
    return row ? toRecord(toJobRow(row)) : null;
  }

  async cancel(id: string): Promise<'cancelled' | 'requested' | 'finished' | 'unknown'> {
    const { store, pool } = this.#open();
    const { sql, commit, clock } = store;
    const job = await commit.run(() => {
      const row = sql.get('SELECT seq, queue, state FROM jobs WHERE id = ?', id);
      if (!row) return undefined;
      const found = {
        seq: Number(row.seq),
        queue: String(row.queue),
        state: row.state as JobState,
      };
      if (found.state === 'running') {
        sql.run('UPDATE jobs SET cancel_requested = 1 WHERE seq = ?', found.seq);
      } else if (!isFinal(found.state)) {
        sql.run(
          `UPDATE jobs SET state = 'cancelled', finished_at = ?, holder = NULL, suspect = 0 WHERE seq = ?`,
          clock.now(),
          found.seq,
        );
        commit.tally.move(found.queue, found.state, 'cancelled');
      }
      return found;
    });
    if (!job) return 'unknown';
    if (isFinal(job.state)) return 'finished';
    if (job.state === 'running') {
      pool.cancel(job.seq);
      return 'requested';
    }
    this.#moved({ id, queue: job.queue }, 'cancelled');
    return 'cancelled';
  }

  async retry(id: string): Promise<boolean> {
    const parts = this.#open();
    const { sql, commit, clock } = parts.store;
    const queue = await commit.run(() => {
      const row = sql.get('SELECT seq, queue, state FROM jobs WHERE id = ?', id);
      const state = row?.state as JobState | undefined; // the column is checked
      if (!row || !state || !isFinal(state)) return undefined;
      // OR IGNORE: unless another job has taken its unique key.
      const changed = sql.run(
        `UPDATE OR IGNORE jobs SET state = 'available', attempt = 0, crashes = 0, suspect = 0, progress = 0,
           cancel_requested = 0, result = NULL, started_at = NULL, finished_at = NULL, run_at = ?,
           ready_at = ?
         WHERE seq = ?`,
        clock.now(),
        parts.store.readyAtMs(),
        Number(row.seq),
      );
      if (changed === 0) return undefined;
      const of = String(row.queue);
      commit.tally.move(of, state, 'available');
      parts.pool.wake(of);
      return of;
    });
    if (queue === undefined) return false;
    this.#emit('available', id, queue);
    return true;
  }

  async remove(id: string): Promise<boolean> {
    const { store } = this.#open();
    const { sql, commit } = store;
    return commit.run(() => {
      const row = sql.get(
        `DELETE FROM jobs WHERE id = ? AND state <> 'running' RETURNING queue, state`,
        id,
      );
      if (row) commit.tally.add(String(row.queue), row.state as JobState, -1); // the column is checked
      return row !== undefined;
    });
  }

  async counts(queue: string): Promise<Record<JobState, number>> {
    const { store } = this.#open();
    return store.commit.read(() => readTally(store.sql, queue));
  }

  async queues(): Promise<readonly string[]> {
    const { store } = this.#open();
    const rows = await store.commit.read(() =>
      store.sql.all(
        `SELECT queue FROM tallies WHERE jobs > 0
         UNION SELECT queue FROM pauses
         UNION SELECT value FROM workers, json_each(workers.queues)
         ORDER BY 1`,
      ),
    );
    return rows.map(({ queue }) => String(queue));
  }

  async list(query: Parameters<NonNullable<JobDriver['list']>>[0]): Promise<Page<JobRecord>> {
    return listJobs(this.#open().store, query);
  }

  async setProgress(job: JobRecord, fraction: number): Promise<void> {
    const { store } = this.#open();
    const { sql, commit, presence } = store;
    const changed = await commit.run(() =>
      sql.run(
        `UPDATE jobs SET progress = ? WHERE id = ? AND state = 'running' AND holder = ? AND attempt = ?`,
        fraction,
        job.id,
        presence.id,
        job.attempt,
      ),
    );
    if (changed > 0) this.#emit('progress', job.id, job.queue);
  }

  async pause(queue: string): Promise<void> {
    const { sql, commit } = this.#open().store;
    await commit.run(() => sql.run('INSERT OR IGNORE INTO pauses (queue) VALUES (?)', queue));
  }

  async resume(queue: string): Promise<void> {
    const { pool, store } = this.#open();
    await store.commit.run(() => store.sql.run('DELETE FROM pauses WHERE queue = ?', queue));
    pool.wakeAll(); // not its queue alone: one of its jobs may be a suspect
  }

  async isPaused(queue: string): Promise<boolean> {
    const { sql, commit } = this.#open().store;
    return commit.read(() => sql.get('SELECT 1 FROM pauses WHERE queue = ?', queue) !== undefined);
  }

  async putSchedule({ key, cron, timeZone, task, lastTickMs }: Schedule): Promise<void> {
    const { sql, commit } = this.#open().store;
    await commit.run(() =>
      sql.run(
        `INSERT INTO schedules (key, cron, time_zone, task, last_tick) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (key) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone,
           task = excluded.task,
           last_tick = iif(cron = excluded.cron AND time_zone = excluded.time_zone,
             last_tick, excluded.last_tick)`,
        key,
        cron,
        timeZone,
        task,
        lastTickMs,
      ),
    );
  }

  async removeSchedule(key: string): Promise<boolean> {
    const { sql, commit } = this.#open().store;
    const removed = await commit.run(() => sql.run('DELETE FROM schedules WHERE key = ?', key));
    return removed > 0;
  }

  async schedules(): Promise<readonly Schedule[]> {
    const { sql, commit } = this.#open().store;
    const rows = await commit.read(() => sql.all('SELECT * FROM schedules ORDER BY key'));
    return rows.map((row) => ({
      key: String(row.key),
      cron: String(row.cron),
      timeZone: String(row.time_zone),
      task: String(row.task),
      lastTickMs: Number(row.last_tick),
    }));
  }

  async ticked(key: string, tickMs: number): Promise<void> {
    const { sql, commit } = this.#open().store;
    await commit.run(() =>
      sql.run('UPDATE schedules SET last_tick = max(last_tick, ?) WHERE key = ?', tickMs, key),
    );
  }

  onEvent(listener: (event: JobEvent) => void): () => void {
    if (this.#listeners.size === 0) this.#lastToldMs = this.#parts?.store.clock.now() ?? 0;
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<readonly JobRecord[]> {
    this.#stopping ??= this.#parts ? this.#stop(this.#parts, timeoutMs) : Promise.resolve([]);
    return this.#stopping;
  }

  async #stop(parts: Parts, timeoutMs: number): Promise<readonly JobRecord[]> {
    const { store, pool } = parts;
    pool.quiet();
    const left = await pool.drain(timeoutMs);
    for (const attempt of left) attempt.handBack();
    try {
      await store.commit.run(() => handBack(store.sql, store));
    } catch (error) {
      // The next process finds them by the lock that this one gives up.
      store.log.error({ err: error }, 'running jobs cannot be handed back; they count as crashed');
    }
    this.#parts = undefined;
    await store.commit.settled();
    close(parts);
    return left.map(({ record }) => record);
  }

  #insert(parts: Parts, jobs: readonly NewJob[]): Stored[] {
    const { sql, commit, clock, presence } = parts.store;
    const context = {
      sql,
      tally: commit.tally,
      nowMs: clock.now(),
      readyAtMs: parts.store.readyAtMs(),
      holder: presence.id,
    };
    return jobs.map((job) => {
      const stored = insertJob(job, context);
      if (stored.state === 'available' && !stored.duplicate) parts.pool.wake(job.queue);
      return stored;
    });
  }

  *#insertInChunks(parts: Parts, jobs: readonly NewJob[]): Generator<void, Stored[]> {
    const stored: Stored[] = [];
    for (let start = 0; start < jobs.length; start += ENQUEUE_CHUNK) {
      if (start > 0) yield;
      stored.push(...this.#insert(parts, jobs.slice(start, start + ENQUEUE_CHUNK)));
    }
    return stored;
  }

  /** Another process has written: whatever this one waits for may be there. */
  #lookAround({ store, pool, due, retention }: Parts): void {
    pool.wakeAll();
    if (this.#listeners.size > 0) this.#tellEnded(store);
    due.look();
    retention.look();
    for (const row of store.sql.all(
      `SELECT seq FROM jobs INDEXED BY jobs_holder
       WHERE holder = ? AND state = 'running' AND cancel_requested = 1`,
      store.presence.id,
    )) {
      pool.cancel(Number(row.seq));
    }
  }

  /** Tells of the jobs that ended since the last look; in which process, nobody knows. */
  #tellEnded({ sql, clock }: OpenStore): void {
    const ended = sql.all(
      `SELECT id, queue, state FROM jobs INDEXED BY jobs_ended
       WHERE state IN ('completed', 'failed', 'cancelled') AND finished_at >= ?
       ORDER BY finished_at LIMIT ?`,
      this.#lastToldMs,
      MAX_TOLD,
    );
    this.#lastToldMs = clock.now() - CLOCK_SLACK_MS;
    for (const { id, queue, state } of ended) {
      this.#emit(state as JobState, String(id), String(queue)); // the column is checked
    }
  }

  #reportRescue({ store, pool, due }: Parts, jobs: readonly Rescued[]): void {
    for (const { id, queue, task, state, wasRunning } of jobs) {
      if (wasRunning) store.log.info({ job: id, task, state }, 'a job has lost its worker');
      this.#moved({ id, queue }, state);
    }
    pool.wakeAll();
    due.look();
  }

  #moved(job: { readonly id: string; readonly queue: string }, to: JobEvent['type']): void {
    if (to === 'completed' || to === 'failed' || to === 'cancelled') {
      this.#parts?.retention.expect(to, this.#parts.store.clock.now());
    }
    this.#emit(to, job.id, job.queue);
  }

  #emit(type: JobEvent['type'], id: string, queue: string): void {
    if (this.#listeners.size === 0) return;
    for (const listener of this.#listeners) listener({ type, id, queue });
  }

  #open(): Parts {
    if (this.#parts) return this.#parts;
    throw new SqliteStoreError(
      'SQLITE_STORE_CLOSED',
      `The job store ${this.#file} is not open: ${this.#stopping ? 'it was stopped' : 'start() was not called'}. ` +
        'Enqueue while the app runs.',
    );
  }
}

/** Nothing may name this worker any more: what it runs and what it keeps back is for others. */
function handBack(sql: Sql, { commit, presence, clock }: OpenStore): void {
  const nowMs = clock.now();
  const running = sql.all(
    `UPDATE jobs SET state = iif(cancel_requested, 'cancelled', 'available'),
       finished_at = iif(cancel_requested, ?, NULL), attempt = attempt - 1, holder = NULL
     WHERE holder = ? AND state = 'running' RETURNING queue, state`,
    nowMs,
    presence.id,
  );
  for (const { queue, state } of running) {
    commit.tally.move(String(queue), 'running', state as JobState); // the column is checked
  }
  const held = sql.all(
    `UPDATE jobs SET state = iif(run_at <= ?, 'available', 'scheduled'), holder = NULL
     WHERE holder = ? AND state = 'scheduled' RETURNING queue, state`,
    nowMs,
    presence.id,
  );
  for (const { queue, state } of held) {
    commit.tally.move(String(queue), 'scheduled', state as JobState); // the column is checked
  }
  sql.run('DELETE FROM workers WHERE id = ?', presence.id);
}

function close({ store, pool, due, retention, others }: Parts): void {
  others.close();
  due.close();
  retention.close();
  pool.close();
  store.sql.close();
  store.presence.leave();
}
