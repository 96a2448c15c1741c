import { RunningJob, type JobRecord, type Outcome } from '../driver.ts';
import type { JobState } from '../states.ts';
import type { Member } from './group-commit.ts';
import { settle, type Fence } from './settle.ts';
import type { QueueWorker, WorkerPool } from './worker-pool.ts';

/** How long to wait before an outcome that could not be written is written again. */
const AGAIN_MS = 1_000;

/** One claimed job in this process, from the claim to the commit of its outcome. */
export class Attempt implements Fence, Member<JobState | undefined> {
  readonly seq: number;
  readonly holder: number;
  readonly record: JobRecord;
  readonly running: RunningJob;
  readonly isSuspect: boolean;
  /** When it began, on the monotonic clock. */
  readonly sinceMs: number = performance.now();
  readonly worker: QueueWorker;
  readonly #pool: WorkerPool;
  #outcome: Outcome | undefined = undefined;
  #isHandedBack = false;
  #settledAtMs = 0;

  constructor(
    pool: WorkerPool,
    worker: QueueWorker,
    { seq, record, isSuspect }: { seq: number; record: JobRecord; isSuspect: boolean },
  ) {
    this.seq = seq;
    this.holder = pool.holder;
    this.record = record;
    this.running = new RunningJob(record);
    this.isSuspect = isSuspect;
    this.#pool = pool;
    this.worker = worker;
  }

  start(): void {
    this.worker.run(this.running).then(
      (outcome) => this.#end(outcome),
      (error: unknown) => this.#end(this.#broken(error)),
    );
  }

  /** The store takes it back: whatever it says from now on counts no more. */
  handBack(): void {
    this.#isHandedBack = true;
    this.running.stop('handed-back');
  }

  apply(): JobState | undefined {
    this.worker.settling += 1;
    this.#pool.wakeIfMore(this.worker); // in this very transaction
    if (this.#outcome === undefined) return undefined; // only #end puts it into a batch
    const { sql, commit, clock } = this.#pool.store;
    this.#settledAtMs = clock.now();
    const readyAtMs = this.#pool.store.readyAtMs();
    const state = settle(sql, this, this.#outcome, this.#settledAtMs, readyAtMs);
    if (state !== undefined) {
      commit.tally.move(this.record.queue, 'running', state);
      if (state === 'available') this.#pool.wake(this.record.queue);
    }
    return state;
  }

  undone(): void {
    this.worker.settling -= 1;
  }

  done(state: JobState | undefined): void {
    this.worker.settling -= 1;
    this.#pool.ended(this);
    if (state === undefined) {
      this.worker.onStale?.(this.record);
      return;
    }
    if (state === 'scheduled' && this.#outcome && 'delayMs' in this.#outcome) {
      this.#pool.store.scheduled(this.#settledAtMs + this.#outcome.delayMs);
    }
    this.#pool.store.moved(this.record, state);
  }

  /** The outcome must not be lost, so that the job need not run again: the disk may have room soon. */
  failed(error: unknown): void {
    const { log, commit } = this.#pool.store;
    const { id, task } = this.record;
    log.error({ err: error, job: id, task }, 'the outcome of a job cannot be stored; trying again');
    setTimeout(() => {
      if (!this.#isHandedBack) commit.add(this);
    }, AGAIN_MS).unref();
  }

  #end(outcome: Outcome): void {
    if (this.#isHandedBack) {
      this.worker.onStale?.(this.record);
      return;
    }
    this.#outcome = outcome;
    this.#pool.store.commit.add(this);
  }

  /** The engine broke its promise never to reject. The job must not stay `running` for ever. */
  #broken(error: unknown): Outcome {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    const atMs = this.#pool.store.clock.now();
    return { type: 'fail', error: { name, message, stack, attempt: this.record.attempt, atMs } };
  }
}
