import type { JobDriver, JobRecord } from './driver.ts';
import { JobUnknownError, JobWaitError } from './errors.ts';
import { isFinal } from './states.ts';

/** Those who wait for jobs to end. The driver's events are listened to only as long as there are any. */
export class Waiters {
  readonly #waiters = new Map<string, Set<() => void>>();
  #stopListening: (() => void) | undefined = undefined;

  /**
   * Waits until a job has ended.
   *
   * @throws {JobUnknownError} `JOB_UNKNOWN`
   * @throws {JobWaitError} `JOB_WAIT_TIMEOUT`
   * @throws The reason of the signal, when it aborts.
   */
  async forEnd(
    driver: JobDriver,
    id: string,
    {
      timeoutMs,
      signal,
    }: { readonly timeoutMs: number | undefined; readonly signal: AbortSignal | undefined },
  ): Promise<JobRecord> {
    const deadlineMs = timeoutMs === undefined ? Infinity : performance.now() + timeoutMs;
    let pollMs = FIRST_POLL_MS;
    let poke = (): void => undefined;
    let wasPoked = false;
    const onPoke = (): void => {
      wasPoked = true;
      poke();
    };
    this.#add(driver, id, onPoke);
    signal?.addEventListener('abort', onPoke);
    try {
      for (;;) {
        signal?.throwIfAborted();
        wasPoked = false;
        const job = await driver.get(id);
        if (!job) throw new JobUnknownError(id);
        if (isFinal(job.state)) return job;
        const leftMs = deadlineMs - performance.now();
        if (timeoutMs !== undefined && leftMs <= 0) throw new JobWaitError(id, timeoutMs);
        if (wasPoked) continue;
        await new Promise<void>((resolve) => {
          // Not every store can tell of what another process did.
          const timer = setTimeout(resolve, Math.min(leftMs, pollMs));
          poke = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        pollMs = Math.min(pollMs * 2, MAX_POLL_MS);
      }
    } finally {
      signal?.removeEventListener('abort', onPoke);
      this.#remove(id, onPoke);
    }
  }

  #add(driver: JobDriver, id: string, poke: () => void): void {
    const waiters = this.#waiters.get(id);
    if (waiters) waiters.add(poke);
    else this.#waiters.set(id, new Set([poke]));
    this.#stopListening ??= driver.onEvent((event) => {
      if (isFinal(event.type)) this.#waiters.get(event.id)?.forEach((wake) => wake());
    });
  }

  #remove(id: string, poke: () => void): void {
    const waiters = this.#waiters.get(id);
    waiters?.delete(poke);
    if (waiters?.size === 0) this.#waiters.delete(id);
    if (this.#waiters.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
  }
}

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 5000;
