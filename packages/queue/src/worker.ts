import type { JobDriver, RunJob, WorkerHandle } from './driver.ts';

/** Which jobs this process runs. */
export interface WorkerOptions {
  /** Most jobs of each queue that run at once in this process; default 10. */
  readonly concurrency?: number;
  /** Default: the queues of all tasks that are included. */
  readonly queues?: readonly string[];
}

export interface WorkerHost extends WorkerOptions {
  readonly driver: JobDriver;
  /** Of the tasks that are included. */
  readonly knownQueues: readonly string[];
  readonly leaseMs: number;
  readonly run: RunJob;
  readonly onStale: Parameters<JobDriver['work']>[1]['onStale'];
}

/** The workers of this process, one for each queue: a full queue does not hold up another. */
export class Worker {
  readonly #handles: readonly WorkerHandle[];

  constructor(host: WorkerHost) {
    const { driver, concurrency = DEFAULT_CONCURRENCY, leaseMs, onStale, run } = host;
    this.#handles = (host.queues ?? host.knownQueues).map((queue) =>
      driver.work(queue, { concurrency, leaseMs, onStale }, run),
    );
  }

  /** Claims nothing more; what runs goes on. */
  quiet(): void {
    for (const handle of this.#handles) handle.quiet();
  }
}

const DEFAULT_CONCURRENCY = 10;

/** @throws {TypeError} When the concurrency is not a whole number from 1. */
export function assertConcurrency(concurrency: number | undefined): void {
  if (concurrency === undefined || (Number.isInteger(concurrency) && concurrency >= 1)) return;
  throw new TypeError(
    `The concurrency of a worker is a whole number from 1, and not ${concurrency}.`,
  );
}
