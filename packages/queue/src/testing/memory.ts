import { systemClock, within, type Clock } from '../clock.ts';
import {
  Attempt,
  withError,
  type Capability,
  type DriverStart,
  type JobDriver,
  type JobEvent,
  type JobRecord,
  type ListQuery,
  type NewJob,
  type Page,
  type RunAttempt,
  type Schedule,
  type Stored,
  type Verdict,
  type WorkerHandle,
  type WorkOptions,
} from '../driver.ts';
import { isFinal, type FinalState, type JobState } from '../states.ts';
import { MemoryStore, toRecord, type Row } from './memory-store.ts';

/** What `memory()` takes. */
export interface MemoryOptions {
  /** What drivers share that stand for several processes, or for one after another; default a new one. */
  readonly store?: MemoryStore;
  /**
   * `'inline'`: storing a job that is due runs it, and resolves when it has ended or waits for a retry.
   * `'held'`: jobs are stored and not run before `drain()`. Default: they are run as by every store.
   */
  readonly mode?: 'inline' | 'held';
}

/** A store in the memory of this process, for tests: jobs are lost with the process. */
export function memory(options: MemoryOptions = {}): MemoryDriver {
  return new MemoryDriver(options);
}

/** A queue that this driver works on. */
interface WorkedQueue {
  readonly concurrency: number;
  readonly run: RunAttempt;
  isQuiet: boolean;
  running: number;
}

/** A claimed job, until it is settled. */
class MemoryAttempt extends Attempt {
  readonly row: Row;
  readonly queue: WorkedQueue;
  /** Resolves when the engine is done with it. */
  ended: Promise<void> = Promise.resolve();
  readonly #number: number;
  readonly #settle: (attempt: MemoryAttempt, verdict: Verdict) => boolean;

  constructor(
    row: Row,
    queue: WorkedQueue,
    settle: (attempt: MemoryAttempt, verdict: Verdict) => boolean,
  ) {
    super(toRecord(row));
    this.row = row;
    this.queue = queue;
    this.#number = row.claims;
    this.#settle = settle;
  }

  /** Whether the job has not been given to others. */
  get isCurrent(): boolean {
    return this.row.state === 'running' && this.row.claims === this.#number;
  }

  async settle(verdict: Verdict): Promise<boolean> {
    return this.#settle(this, verdict);
  }
}

/** A store of jobs in the memory of this process; see `memory()`. */
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
  readonly #queues = new Map<string, WorkedQueue>();
  /** What runs, by the id of its job. */
  readonly #running = new Map<string, MemoryAttempt>();
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

  async enqueue(jobs: readonly NewJob[]): Promise<readonly Stored[]> {
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
      if (queue && row.state === 'available') await this.#claim(row, queue);
    }
  }

  /** Runs what was stored in mode `'held'`, and what that adds, until nothing is due; then holds again. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    this.#pump();
    while (this.#running.size > 0) {
      await this.#allEnded();
      this.#pump();
    }
    this.#isDraining = false;
  }

  #allEnded(): Promise<unknown> {
    return Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  work(queue: string, { concurrency }: WorkOptions, run: RunAttempt): WorkerHandle {
    const worked: WorkedQueue = { concurrency, run, isQuiet: false, running: 0 };
    this.#queues.set(queue, worked);
    this.#wake();
    return { quiet: () => void (worked.isQuiet = true) };
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
      while (queue.running < queue.concurrency) {
        const row = this.#store.next(name);
        if (!row) break;
        void this.#claim(row, queue);
      }
    }
  }

  /** Resolves when the attempt has ended. */
  #claim(row: Row, queue: WorkedQueue): Promise<void> {
    queue.running += 1;
    row.attempt += 1;
    row.claims += 1;
    row.startedAtMs = this.#clock.now();
    row.progress = 0;
    this.#store.move(row, 'running');
    const attempt = new MemoryAttempt(row, queue, this.#settle);
    this.#running.set(row.job.id, attempt);
    return (attempt.ended = queue.run(attempt));
  }

  readonly #settle = (attempt: MemoryAttempt, verdict: Verdict): boolean => {
    const { row, queue } = attempt;
    queue.running -= 1;
    if (!attempt.isCurrent) return false;
    this.#running.delete(row.job.id);
    this.#apply(row, verdict);
    this.#wake();
    return true;
  };

  #apply(row: Row, verdict: Verdict): void {
    switch (verdict.type) {
      case 'complete':
        row.result = verdict.result ?? null;
        return this.#finish(row, 'completed');
      case 'fail':
        row.errors = withError(row.errors, verdict.error);
        return this.#finish(row, 'failed');
      case 'cancel':
        return this.#finish(row, 'cancelled');
      case 'retry':
        row.errors = withError(row.errors, verdict.error);
        return this.#reschedule(row, verdict.delayMs);
      case 'snooze':
        row.attempt -= 1;
        return this.#reschedule(row, verdict.delayMs);
    }
  }

  #finish(row: Row, state: FinalState): void {
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
    this.#running.get(id)?.stop('cancelled');
  };

  async retry(id: string): Promise<boolean> {
    this.#assertOpen();
    const row = this.#store.rows.get(id);
    return row !== undefined && this.#store.retry(row, this.#clock.now());
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
    return this.#store.counts(queue);
  }

  async queues(): Promise<readonly string[]> {
    this.#assertOpen();
    const names = new Set([...this.#queues.keys(), ...this.#store.paused]);
    for (const { job } of this.#store.rows.values()) names.add(job.queue);
    return [...names].toSorted();
  }

  async list(query: ListQuery): Promise<Page<JobRecord>> {
    this.#assertOpen();
    return this.#store.list(query);
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
    this.#store.putSchedule(schedule);
  }

  async removeSchedule(key: string): Promise<boolean> {
    return this.#store.schedules.delete(key);
  }

  async schedules(): Promise<readonly Schedule[]> {
    return [...this.#store.schedules.values()];
  }

  async ticked(key: string, tickMs: number): Promise<void> {
    this.#store.ticked(key, tickMs);
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
    if (this.#running.size > 0) await within(timeoutMs, this.#allEnded());
    const left = [...this.#running.values()];
    for (const attempt of left) {
      attempt.stop('handed-back');
      attempt.row.attempt -= 1;
      this.#store.move(attempt.row, 'available');
    }
    this.#letGo();
    return left.map(({ record }) => record);
  }

  /** Simulates the sudden death of the process: what ran is found by the next one, as a crash. */
  kill(): void {
    for (const { row } of this.#running.values()) {
      row.crashes += 1;
      this.#store.move(row, 'available');
    }
    for (const row of this.#store.rows.values()) this.#store.release(row, this.#clock.now());
    this.#letGo();
  }

  #letGo(): void {
    this.#state = 'stopped';
    this.#running.clear();
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
