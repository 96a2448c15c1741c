import { resolve } from 'node:path';
import type {
  Capability,
  DriverStart,
  JobDriver,
  JobEvent,
  JobRecord,
  ListQuery,
  NewJob,
  Page,
  RunAttempt,
  Schedule,
  WorkerHandle,
  WorkOptions,
} from '../driver.ts';
import { isFinal, type JobState } from '../states.ts';
import { DueJobs } from './due-jobs.ts';
import { SqliteStoreError, toStoreError } from './errors.ts';
import { GroupCommit, readTally } from './group-commit.ts';
import {
  insertJob,
  listEnded,
  listJobs,
  RECORD_COLUMNS,
  toJobRow,
  toRecord,
  type Inserted,
} from './job-rows.ts';
import { cancel, giveBack, release, retry, type GivenBack } from './moves.ts';
import { openFile, type Durability, type OpenStore, type SqliteOptions } from './open.ts';
import { OtherProcesses } from './other-processes.ts';
import { Presence } from './presence.ts';
import { Retention } from './retention.ts';
import { putSchedule, readSchedules } from './schedules.ts';
import { Worker } from './worker.ts';

/** Jobs of one `enqueue` that are written before the event loop has its turn. */
const ENQUEUE_CHUNK = 500;

/** A job that was ended at a time may be committed a little later. */
const CLOCK_SLACK_MS = 50;

/** The parts that work while the file is open. */
interface Parts {
  readonly store: OpenStore;
  readonly worker: Worker;
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
    const sql = await openFile(file, this.#durability, this.#onStatement);
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
    const worker = new Worker(store);
    commit.setLast(worker);
    const due = new DueJobs(store, (queue) => worker.wake(queue));
    const parts: Parts = {
      store,
      worker,
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

  async enqueue(jobs: readonly NewJob[]): Promise<readonly Inserted[]> {
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
    const { store, worker, due } = this.#open();
    const released = await store.commit.run(() =>
      jobs.map((job) => {
        const availableAtMs = release(store, job);
        if (availableAtMs === 0) worker.wake(job.queue);
        return availableAtMs;
      }),
    );
    for (const [index, { id, queue }] of jobs.entries()) {
      const availableAtMs = released[index];
      if (availableAtMs === 0) this.#emit('available', id, queue);
      else if (availableAtMs !== undefined) due.expect(availableAtMs);
    }
  }

  work(queue: string, options: WorkOptions, run: RunAttempt): WorkerHandle {
    const { worker, store } = this.#open();
    const handle = worker.work(queue, options, run);
    store.commit
      .run(() => store.presence.announce(store.sql, worker.queues))
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
    const { store, worker } = this.#open();
    const job = await store.commit.run(() => cancel(store, id));
    if (!job) return 'unknown';
    if (isFinal(job.state)) return 'finished';
    if (job.state === 'running') {
      worker.cancel(job.seq);
      return 'requested';
    }
    this.#moved({ id, queue: job.queue }, 'cancelled');
    return 'cancelled';
  }

  async retry(id: string): Promise<boolean> {
    const { store, worker } = this.#open();
    const job = await store.commit.run(() => {
      const retried = retry(store, id);
      if (retried) worker.wake(retried.queue);
      return retried;
    });
    if (job) this.#emit('available', id, job.queue);
    return job !== undefined;
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

  async list(query: ListQuery): Promise<Page<JobRecord>> {
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
    const { worker, store } = this.#open();
    await store.commit.run(() => store.sql.run('DELETE FROM pauses WHERE queue = ?', queue));
    worker.wakeAll(); // not its queue alone: one of its jobs may be a suspect
  }

  async isPaused(queue: string): Promise<boolean> {
    const { sql, commit } = this.#open().store;
    return commit.read(() => sql.get('SELECT 1 FROM pauses WHERE queue = ?', queue) !== undefined);
  }

  async putSchedule(schedule: Schedule): Promise<void> {
    const { sql, commit } = this.#open().store;
    await commit.run(() => putSchedule(sql, schedule));
  }

  async removeSchedule(key: string): Promise<boolean> {
    const { sql, commit } = this.#open().store;
    const removed = await commit.run(() => sql.run('DELETE FROM schedules WHERE key = ?', key));
    return removed > 0;
  }

  async schedules(): Promise<readonly Schedule[]> {
    const { sql, commit } = this.#open().store;
    return commit.read(() => readSchedules(sql));
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
    const { store, worker } = parts;
    worker.quiet();
    const left = await worker.drain(timeoutMs);
    for (const attempt of left) attempt.stop('handed-back');
    try {
      await store.commit.run(() => giveBack(store, store.presence.id, false));
    } catch (error) {
      // The next process finds them by the lock that this one gives up.
      store.log.error({ err: error }, 'running jobs cannot be handed back; they count as crashed');
    }
    this.#parts = undefined;
    await store.commit.settled();
    close(parts);
    return left.map(({ record }) => record);
  }

  #insert({ store, worker }: Parts, jobs: readonly NewJob[]): Inserted[] {
    const nowMs = store.clock.now();
    const readyAtMs = store.readyAtMs();
    return jobs.map((job) => {
      const inserted = insertJob(store, job, nowMs, readyAtMs);
      if (inserted.state === 'available' && !inserted.duplicate) worker.wake(job.queue);
      return inserted;
    });
  }

  *#insertInChunks(parts: Parts, jobs: readonly NewJob[]): Generator<void, Inserted[]> {
    const stored: Inserted[] = [];
    for (let start = 0; start < jobs.length; start += ENQUEUE_CHUNK) {
      if (start > 0) yield;
      stored.push(...this.#insert(parts, jobs.slice(start, start + ENQUEUE_CHUNK)));
    }
    return stored;
  }

  /** Another process has written: whatever this one waits for may be there. */
  #lookAround({ store, worker, due, retention }: Parts): void {
    worker.wakeAll();
    if (this.#listeners.size > 0) this.#tellEnded(store);
    due.look();
    retention.look();
    for (const row of store.sql.all(
      `SELECT seq FROM jobs INDEXED BY jobs_holder
       WHERE holder = ? AND state = 'running' AND cancel_requested = 1`,
      store.presence.id,
    )) {
      worker.cancel(Number(row.seq));
    }
  }

  /** Tells of the jobs that ended since the last look; in which process, nobody knows. */
  #tellEnded(store: OpenStore): void {
    const ended = listEnded(store, this.#lastToldMs);
    this.#lastToldMs = store.clock.now() - CLOCK_SLACK_MS;
    for (const { id, queue, state } of ended) this.#emit(state, id, queue);
  }

  #reportRescue({ store, worker, due }: Parts, jobs: readonly GivenBack[]): void {
    for (const { id, queue, task, state, wasRunning } of jobs) {
      if (wasRunning) store.log.info({ job: id, task, state }, 'a job has lost its worker');
      this.#moved({ id, queue }, state);
    }
    worker.wakeAll();
    due.look();
  }

  #moved(job: { readonly id: string; readonly queue: string }, to: JobEvent['type']): void {
    if (isFinal(to)) this.#parts?.retention.expect(to, this.#parts.store.clock.now());
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

function close({ store, worker, due, retention, others }: Parts): void {
  others.close();
  due.close();
  retention.close();
  worker.close();
  store.sql.close();
  store.presence.leave();
}
