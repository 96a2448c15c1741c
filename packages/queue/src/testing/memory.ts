import { systemClock, within, type Clock } from '../clock.ts';
import {
  type Capability,
  type DriverStart,
  ERROR_HISTORY,
  type JobDriver,
  type JobEvent,
  type JobRecord,
  type NewJob,
  type Outcome,
  type Page,
  type RunJob,
  RunningJob,
  type Schedule,
  type WorkerHandle,
  type WorkOptions,
} from '../driver.ts';
import { isFinal, JOB_STATES, type JobState } from '../states.ts';
import { MemoryStore, toRecord, type Row } from './memory-store.ts';

export interface MemoryOptions {
  /** Shared by drivers that stand for several processes, or for one after another; default a new one. */
  readonly store?: MemoryStore;
  /**
   * `'inline'`: storing a job that is due runs it, and resolves when it has ended or waits for a retry.
   * `'held'`: jobs are stored and not run before `drain()`. Default: they are run as ever.
   */
  readonly mode?: 'inline' | 'held';
}

/** Jobs in memory, for tests: nothing survives the process. */
export function memory(options: MemoryOptions = {}): MemoryDriver {
  return new MemoryDriver(options);
}

interface Queue {
  readonly options: WorkOptions;
  readonly run: RunJob;
  isQuiet: boolean;
  running: number;
}

/** A claimed job. */
interface Claim {
  readonly row: Row;
  readonly number: number;
  readonly running: RunningJob;
  readonly queue: Queue;
  readonly ended: Promise<void>;
}

export class MemoryDriver implements JobDriver {
  readonly name = 'memory';
  readonly capabilities: ReadonlySet<Capability> = new Set([
    'progress',
    'pause',
    'snooze',
    'cancelRunning',
    'uniquePeriod',
    'list',
  ]);
  readonly #store: MemoryStore;
  readonly #mode: MemoryOptions['mode'];
  readonly #queues = new Map<string, Queue>();
  readonly #claims = new Map<string, Claim>();
  readonly #ownListeners = new Set<(event: JobEvent) => void>();
  #clock: Clock = systemClock;
  #keepMs: DriverStart['keepMs'] | undefined = undefined;
  #sweepAtMs = Infinity;
  #cancelSweep: (() => void) | undefined = undefined;
  #isWoken = false;
  #isDraining = false;
  #state: 'new' | 'started' | 'stopping' | 'stopped' = 'new';
  #stopping: Promise<readonly JobRecord[]> | undefined = undefined;

  constructor({ store = new MemoryStore(), mode }: MemoryOptions) {
    this.#store = store;
    this.#mode = mode;
  }

  async start({ clock, keepMs }: DriverStart): Promise<void> {
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#state = 'started';
    this.#store.open(clock);
    this.#store.wakers.add(this.#wake);
    this.#store.cancellers.add(this.#cancelRunning);
    this.#sweep();
  }

  async enqueue(
    jobs: readonly NewJob[],
  ): Promise<readonly { readonly id: string; readonly duplicate: boolean }[]> {
    this.#assertOpen();
    const nowMs = this.#clock.now();
    const stored = jobs.map((job) => this.#store.add(job, nowMs));
    if (this.#mode === 'inline') await this.#runInline(stored.map(({ id }) => id));
    return stored;
  }

  async release(jobs: readonly { readonly id: string }[]): Promise<void> {
    const nowMs = this.#clock.now();
    for (const { id } of jobs) {
      const row = this.#store.rows.get(id);
      if (row) this.#store.release(row, nowMs);
    }
    if (this.#mode === 'inline') await this.#runInline(jobs.map(({ id }) => id));
  }

  /** Whatever the concurrency: a job that enqueues another waits for it. */
  async #runInline(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const row = this.#store.rows.get(id);
      const queue = row && this.#queues.get(row.job.queue);
      if (queue && row.state === 'available') await this.#claim(row, queue).ended;
    }
  }

  /** Runs what was stored in mode `'held'`, and what that adds, until nothing is due; then holds again. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#pump();
    while (this.#claims.size > 0) {
      await Promise.all([...this.#claims.values()].map(({ ended }) => ended));
      this.#pump();
    }
    this.#isDraining = false;
  }

  work(queue: string, options: WorkOptions, run: RunJob): WorkerHandle {
    const entry: Queue = { options, run, isQuiet: false, running: 0 };
    this.#queues.set(queue, entry);
    this.#wake();
    return { quiet: () => void (entry.isQuiet = true) };
  }

  /** In the next turn of the event loop, in which others are served too. */
  readonly #wake = (): void => {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#pump();
    });
  };

  #pump(): void {
    if (this.#state !== 'started' || (this.#mode === 'held' && !this.#isDraining)) return;
    for (const [name, queue] of this.#queues) {
      if (queue.isQuiet || this.#store.paused.has(name)) continue;
      while (queue.running < queue.options.concurrency) {
        const row = this.#store.next(name);
        if (!row) break;
        this.#claim(row, queue);
      }
    }
  }

  #claim(row: Row, queue: Queue): Claim {
    queue.running += 1;
    row.attempt += 1;
    row.claim += 1;
    row.startedAtMs = this.#clock.now();
    row.progress = 0;
    this.#store.move(row, 'running');
    const running = new RunningJob(toRecord(row));
    const claim: Claim = {
      row,
      number: row.claim,
      running,
      queue,
      ended: queue.run(running).then((outcome) => this.#settle(claim, outcome)),
    };
    this.#claims.set(row.job.id, claim);
    return claim;
  }

  #settle(claim: Claim, outcome: Outcome): void {
    const { row, queue, running } = claim;
    queue.running -= 1;
    if (!this.#isCurrent(claim)) {
      if (!running.stopReason) queue.options.onStale?.(running.record);
      return;
    }
    this.#claims.delete(row.job.id);
    this.#apply(row, outcome);
    this.#wake();
  }

  #isCurrent({ row, number }: Claim): boolean {
    return (
      row.state === 'running' && row.claim === number && this.#store.rows.get(row.job.id) === row
    );
  }

  #apply(row: Row, outcome: Outcome): void {
    switch (outcome.type) {
      case 'complete':
        row.result = outcome.result ?? null;
        return this.#finish(row, 'completed');
      case 'fail':
        this.#noteError(row, outcome.error);
        return this.#finish(row, 'failed');
      case 'cancel':
        return this.#finish(row, 'cancelled');
      case 'retry':
        this.#noteError(row, outcome.error);
        return this.#reschedule(row, outcome.delayMs);
      case 'snooze':
        row.attempt -= 1;
        return this.#reschedule(row, outcome.delayMs);
    }
  }

  #noteError(row: Row, error: JobRecord['errors'][number]): void {
    row.errors = [...row.errors, error].slice(-ERROR_HISTORY);
  }

  #finish(row: Row, state: 'completed' | 'failed' | 'cancelled'): void {
    row.finishedAtMs = this.#clock.now();
    this.#store.move(row, state);
    this.#sweepAt(row.finishedAtMs + this.#keepMs![state]);
  }

  #reschedule(row: Row, delayMs: number): void {
    row.runAtMs = this.#clock.now() + delayMs;
    this.#store.move(row, 'scheduled');
  }

  /** Forgets ended jobs whose time is over, and comes back when the next one's is. */
  #sweep(): void {
    const nowMs = this.#clock.now();
    this.#sweepAtMs = Infinity;
    for (const row of this.#store.rows.values()) {
      if (!isFinal(row.state)) continue;
      const untilMs = row.finishedAtMs! + this.#keepMs![row.state];
      if (untilMs <= nowMs) this.#store.remove(row);
      else this.#sweepAt(untilMs);
    }
  }

  #sweepAt(timeMs: number): void {
    if (timeMs >= this.#sweepAtMs || this.#state !== 'started') return;
    this.#sweepAtMs = timeMs;
    this.#cancelSweep?.();
    this.#cancelSweep = this.#clock.at(timeMs, () => this.#sweep());
  }

  async get(id: string): Promise<JobRecord | null> {
    this.#assertOpen();
    const row = this.#store.rows.get(id);
    return row ? toRecord(row) : null;
  }

  async cancel(id: string): Promise<'cancelled' | 'requested' | 'finished' | 'unknown'> {
    this.#assertOpen();
    const row = this.#store.rows.get(id);
    if (!row) return 'unknown';
    if (isFinal(row.state)) return 'finished';
    if (row.state === 'running') {
      for (const stop of this.#store.cancellers) stop(id);
      return 'requested';
    }
    this.#finish(row, 'cancelled');
    return 'cancelled';
  }

  readonly #cancelRunning = (id: string): void => {
    this.#claims.get(id)?.running.stop('cancelled');
  };

  async retry(id: string): Promise<boolean> {
    this.#assertOpen();
    const row = this.#store.rows.get(id);
    if (!row || !isFinal(row.state) || !this.#store.isKeyFree(row)) return false;
    row.attempt = 0;
    row.crashes = 0;
    row.result = null;
    row.progress = 0;
    row.runAtMs = this.#clock.now();
    row.startedAtMs = null;
    row.finishedAtMs = null;
    this.#store.move(row, 'available');
    return true;
  }

  async remove(id: string): Promise<boolean> {
    this.#assertOpen();
    const row = this.#store.rows.get(id);
    if (!row || row.state === 'running') return false;
    this.#store.remove(row);
    return true;
  }

  async counts(queue: string): Promise<Record<JobState, number>> {
    this.#assertOpen();
    const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0])) as Record<
      JobState,
      number
    >; // every state has one
    for (const { job, state } of this.#store.rows.values()) {
      if (job.queue === queue) counts[state] += 1;
    }
    return counts;
  }

  async queues(): Promise<readonly string[]> {
    this.#assertOpen();
    const names = new Set([...this.#queues.keys(), ...this.#store.paused]);
    for (const { job } of this.#store.rows.values()) names.add(job.queue);
    return [...names].toSorted();
  }

  async list({
    queue,
    state,
    task,
    limit,
    cursor = '0',
  }: Parameters<NonNullable<JobDriver['list']>>[0]): Promise<Page<JobRecord>> {
    this.#assertOpen();
    const matching = [...this.#store.rows.values()]
      .filter(
        (row) =>
          (queue === undefined || row.job.queue === queue) &&
          (state === undefined || row.state === state) &&
          (task === undefined || row.job.task === task),
      )
      .toReversed();
    const start = Number(cursor);
    const end = start + limit;
    return {
      items: matching.slice(start, end).map(toRecord),
      cursor: end < matching.length ? String(end) : undefined,
    };
  }

  async setProgress({ id, attempt }: JobRecord, fraction: number): Promise<void> {
    const row = this.#store.rows.get(id);
    if (row?.state !== 'running' || row.attempt !== attempt) return;
    row.progress = fraction;
    this.#store.progressed(row);
  }

  async pause(queue: string): Promise<void> {
    this.#assertOpen();
    this.#store.paused.add(queue);
  }

  async resume(queue: string): Promise<void> {
    this.#assertOpen();
    this.#store.paused.delete(queue);
    for (const wake of this.#store.wakers) wake(queue);
  }

  async isPaused(queue: string): Promise<boolean> {
    return this.#store.paused.has(queue);
  }

  async putSchedule(schedule: Schedule): Promise<void> {
    const known = this.#store.schedules.get(schedule.key);
    const isSame = known?.cron === schedule.cron && known.timeZone === schedule.timeZone;
    this.#store.schedules.set(
      schedule.key,
      isSame ? { ...schedule, lastTickMs: known.lastTickMs } : schedule,
    );
  }

  async removeSchedule(key: string): Promise<boolean> {
    return this.#store.schedules.delete(key);
  }

  async schedules(): Promise<readonly Schedule[]> {
    return [...this.#store.schedules.values()];
  }

  async ticked(key: string, tickMs: number): Promise<void> {
    const known = this.#store.schedules.get(key);
    if (known && tickMs > known.lastTickMs) {
      this.#store.schedules.set(key, { ...known, lastTickMs: tickMs });
    }
  }

  onEvent(listener: (event: JobEvent) => void): () => void {
    this.#store.listeners.add(listener);
    this.#ownListeners.add(listener);
    return () => {
      this.#store.listeners.delete(listener);
      this.#ownListeners.delete(listener);
    };
  }

  stop(options: { readonly timeoutMs: number }): Promise<readonly JobRecord[]> {
    return (this.#stopping ??= this.#stop(options.timeoutMs));
  }

  async #stop(timeoutMs: number): Promise<readonly JobRecord[]> {
    if (this.#state === 'new') return [];
    this.#state = 'stopping';
    const ends = [...this.#claims.values()].map(({ ended }) => ended);
    if (ends.length > 0) await within(timeoutMs, Promise.all(ends));
    const handedBack = [...this.#claims.values()];
    for (const { row, running } of handedBack) {
      running.stop('handed-back');
      row.attempt -= 1;
      this.#store.move(row, 'available');
    }
    this.#letGo();
    return handedBack.map(({ running }) => running.record);
  }

  /** Simulates the sudden death of the process: what ran is found by the next one, as a crash. */
  kill(): void {
    for (const { row } of this.#claims.values()) {
      row.crashes += 1;
      this.#store.move(row, 'available');
    }
    for (const row of this.#store.rows.values()) this.#store.release(row, this.#clock.now());
    this.#letGo();
  }

  #letGo(): void {
    this.#state = 'stopped';
    this.#claims.clear();
    this.#cancelSweep?.();
    this.#store.wakers.delete(this.#wake);
    this.#store.cancellers.delete(this.#cancelRunning);
    for (const listener of this.#ownListeners) this.#store.listeners.delete(listener);
    this.#store.close();
  }

  #assertOpen(): void {
    if (this.#state === 'started' || this.#state === 'stopping') return;
    throw new Error(`the memory driver is ${this.#state}`);
  }
}
