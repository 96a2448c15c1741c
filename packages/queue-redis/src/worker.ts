import {
  type Clock,
  type JobRecord,
  type Logger,
  type RunJob,
  RunningJob,
  within,
  type WorkerHandle,
  type WorkOptions,
} from '@thereafter/queue/driver';
import { isNotConnectionError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { JobBackend, type Ending } from './backend.ts';
import { disconnect } from './connect.ts';
import { idToKeyPart, toKeyPart } from './keys.ts';
import { run } from './scripts/script.ts';
import { RENEW } from './scripts/work.ts';
import type { SuspectPlace } from './suspects.ts';

export interface QueueWorkerOptions extends WorkOptions {
  readonly queue: string;
  readonly prefix: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Shared with the other queues. */
  readonly client: Redis;
  /** Of this queue alone, and ended with it. */
  readonly waiting: Redis;
  readonly forgetBefore: () => readonly number[];
  /** Shared with the other queues. */
  readonly suspects: SuspectPlace;
}

/** One attempt under way in this process. */
interface Attempt {
  readonly running: RunningJob;
  readonly token: string;
  /** It was given to another. */
  isLost: boolean;
  /** Ends it, unless it has ended. */
  readonly end: (ending: Ending) => void;
}

/** Works on one queue: BullMQ's worker, the sign of life of what runs, and the way to an orderly end. */
export class QueueWorker implements WorkerHandle {
  readonly queue: string;
  readonly #options: QueueWorkerOptions;
  readonly #run: RunJob;
  readonly #backend: JobBackend;
  readonly #worker: Worker;
  readonly #heartbeat: NodeJS.Timeout;
  /** By token, the oldest first: a job that was taken for lost may be here twice. */
  readonly #attempts = new Map<string, Attempt>();
  #isQuiet = false;
  #isRenewing = false;
  #onIdle: (() => void) | undefined = undefined;

  constructor(options: QueueWorkerOptions, runJob: RunJob) {
    const { queue, prefix, leaseMs, client, waiting, concurrency, onStale, log } = options;
    this.queue = queue;
    this.#options = options;
    this.#run = runJob;
    this.#backend = new JobBackend({
      queue: toKeyPart(queue),
      prefix,
      leaseMs,
      clock: options.clock,
      client,
      waiting,
      forgetBefore: options.forgetBefore,
      suspects: options.suspects,
      onStale: (record) => onStale?.(record),
    });
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
    for (const { running } of this.#attempts.values()) {
      if (running.record.id === id) running.stop('cancelled');
    }
  }

  /** The token by which this process holds the job. */
  tokenOf(id: string): string | undefined {
    for (const { running, token } of this.#attempts.values()) {
      if (running.record.id === id) return token;
    }
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
    for (const { running, end } of attempts) {
      running.stop('handed-back');
      end({ type: 'handed-back' });
    }
    return attempts.map(({ running }) => running.record);
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
    const { record } = this.#backend.claimOf(token);
    // Claimed before it was told to be quiet.
    const ending: Ending = this.#isQuiet
      ? { type: 'handed-back' }
      : await this.#attempt(new RunningJob(record), token);
    this.#backend.end(token, ending);
    if (this.#attempts.size === 0) this.#onIdle?.();
  }

  #attempt(running: RunningJob, token: string): Promise<Ending> {
    return new Promise((resolve, reject) => {
      const end = (ending: Ending): void => {
        this.#attempts.delete(token);
        resolve(ending);
      };
      this.#attempts.set(token, { running, token, end, isLost: false });
      this.#run(running).then(end, reject); // never rejects
    });
  }

  async #renew(): Promise<void> {
    if (this.#attempts.size === 0 || this.#isRenewing) return;
    this.#isRenewing = true;
    const { client, prefix, queue, leaseMs, log } = this.#options;
    const attempts = [...this.#attempts.values()];
    const args = attempts.flatMap(({ running, token }) => [idToKeyPart(running.record.id), token]);
    try {
      const reply = await run(client, RENEW, prefix, [toKeyPart(queue), leaseMs, ...args]);
      const [lost, cancelled] = reply as [string[], string[]];
      for (const token of cancelled) this.#attempts.get(token)?.running.stop('cancelled');
      for (const token of lost) {
        const attempt = this.#attempts.get(token);
        if (!attempt || attempt.isLost) continue; // it ended while we asked, or it was said before
        attempt.isLost = true;
        const { id, task } = attempt.running.record;
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
