import {
  within,
  type JobRecord,
  type Logger,
  type RunAttempt,
  type WorkerHandle,
  type WorkOptions,
} from '@thereafter/queue/driver';
import { isNotConnectionError, Worker } from 'bullmq';
import { JobBackend, type BackendOptions, type RedisAttempt } from './backend.ts';
import { disconnect } from './connect.ts';
import { idToKeyPart, toKeyPart } from './keys.ts';
import { run } from './scripts/script.ts';
import { RENEW } from './scripts/work.ts';

export interface WorkedQueueOptions extends BackendOptions, WorkOptions {
  readonly log: Logger;
}

/** Works on one queue: BullMQ's worker, the sign of life of what runs, and the way to an orderly end. */
export class WorkedQueue implements WorkerHandle {
  readonly queue: string;
  readonly #options: WorkedQueueOptions;
  readonly #run: RunAttempt;
  readonly #backend: JobBackend;
  readonly #worker: Worker;
  readonly #heartbeat: NodeJS.Timeout;
  /** By token, the oldest first: a job that was taken for lost may be here twice. */
  readonly #attempts = new Map<string, RedisAttempt>();
  #isQuiet = false;
  #isRenewing = false;
  #onIdle: (() => void) | undefined = undefined;

  constructor(options: WorkedQueueOptions, run: RunAttempt) {
    const { queue, prefix, leaseMs, client, concurrency, log } = options;
    this.queue = queue;
    this.#options = options;
    this.#run = run;
    this.#backend = new JobBackend({ ...options, queue: toKeyPart(queue) });
    this.#worker = new Worker(
      toKeyPart(queue),
      (_job, token = '') => this.#process(token),
      {
        connection: client,
        prefix,
        concurrency,
        // A lost job is seen once its lease is over, and taken the next time.
        stalledInterval: leaseMs / 3,
        lockDuration: leaseMs,
        // One sign of life for all, which also asks what is to be cancelled.
        skipLockRenewal: true,
        runRetryDelay: 1_000,
      },
      () => this.#backend,
    );
    this.#worker.on('error', (error) => {
      // That Redis is away is said once, by the connection.
      if (!isNotConnectionError(error)) return;
      log.error({ err: error, queue }, 'a worker of jobs had trouble; it goes on');
    });
    this.#heartbeat = setInterval(() => void this.#renew(), leaseMs / 4);
    this.#heartbeat.unref();
  }

  quiet(): void {
    this.#isQuiet = true;
    // Its loop ends when what it is waiting for has come; what runs is not waited for.
    void this.#worker.pause(true);
  }

  cancel(id: string): void {
    for (const attempt of this.#attempts.values()) {
      if (attempt.record.id === id) attempt.stop('cancelled');
    }
  }

  /** The token by which this process holds the job. */
  tokenOf(id: string): string | undefined {
    for (const { record, token } of this.#attempts.values()) if (record.id === id) return token;
    return undefined;
  }

  /** Resolves when nothing runs here. */
  idle(): Promise<void> {
    if (this.#attempts.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Tells what still runs to stop, and leaves it to others. */
  handBack(): JobRecord[] {
    // The newest first: each is put before the others.
    const attempts = [...this.#attempts.values()].toReversed();
    for (const attempt of attempts) {
      attempt.stop('handed-back');
      attempt.end({ type: 'handed-back' });
    }
    return attempts.map(({ record }) => record);
  }

  /** @param isConnected - Else nothing can be said to Redis any more: the lease gives the jobs back. */
  async close(isConnected: boolean): Promise<void> {
    this.quiet();
    clearInterval(this.#heartbeat);
    const closing = this.#worker.close(!isConnected);
    await within(
      2_000,
      closing.catch(() => {}),
    );
    await disconnect(this.#options.waiting);
  }

  async #process(token: string): Promise<void> {
    const attempt = this.#backend.attemptOf(token);
    if (this.#isQuiet) {
      attempt.end({ type: 'handed-back' }); // claimed before it was told to be quiet
    } else {
      this.#attempts.set(token, attempt);
      void this.#run(attempt); // never rejects
      await attempt.ended;
      this.#attempts.delete(token);
    }
    if (this.#attempts.size === 0) this.#onIdle?.();
  }

  async #renew(): Promise<void> {
    if (this.#attempts.size === 0 || this.#isRenewing) return;
    this.#isRenewing = true;
    const { client, prefix, queue, leaseMs, log } = this.#options;
    const attempts = [...this.#attempts.values()];
    const args = attempts.flatMap(({ record, token }) => [idToKeyPart(record.id), token]);
    try {
      const reply = await run(client, RENEW, prefix, [toKeyPart(queue), leaseMs, ...args]);
      const [lost, cancelled] = reply as [string[], string[]];
      for (const token of cancelled) this.#attempts.get(token)?.stop('cancelled');
      for (const token of lost) {
        const attempt = this.#attempts.get(token);
        if (!attempt || attempt.isLost) continue; // it ended while we asked, or it was said before
        attempt.isLost = true;
        const { id, task } = attempt.record;
        log.error(
          { id, task, queue },
          'this process gave no sign of life for too long, and its job was given to another: ' +
            'what it returns does not count',
        );
      }
    } catch (error) {
      log.error({ err: error, queue }, 'no sign of life could be given for running jobs');
    } finally {
      this.#isRenewing = false;
    }
  }
}
