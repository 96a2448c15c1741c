import type { Piscina } from 'piscina';
import { ThreadError } from './errors.ts';
import type { ThreadCall } from './thread-worker.ts';

/** The worker threads of an app. Neither they nor their library are loaded before the first call. */
export class ThreadPool {
  #pool: Promise<Piscina> | undefined;

  /**
   * Calls a function in a thread. When the signal aborts, the thread is ended.
   *
   * @throws {ThreadError} `THREAD_NO_POOL` without `piscina`, `THREAD_NO_FUNCTION` when the module does not
   *   export the function.
   */
  async call(call: ThreadCall, signal: AbortSignal): Promise<unknown> {
    const pool = await (this.#pool ??= open());
    try {
      return await pool.run(call, { signal });
    } catch (error) {
      if (!(error instanceof Error) || error.cause !== 'THREAD_NO_FUNCTION') throw error;
      throw new ThreadError(error.cause, `${error.message} Export it, or correct its name.`);
    }
  }

  /** Ends the threads, whatever they are doing. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined);
    await pool?.destroy();
  }
}

const IDLE_TIMEOUT_MS = 30_000;

async function open(): Promise<Piscina> {
  const { Piscina } = await load();
  // The worker lies beside this module, as source in the workspace and compiled in the package.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Piscina({
    filename: new URL(`./thread-worker.${extension}`, import.meta.url).href,
    name: 'call',
    minThreads: 0,
    idleTimeout: IDLE_TIMEOUT_MS,
  });
}

async function load() {
  try {
    return await import('piscina');
  } catch (cause) {
    throw new ThreadError(
      'THREAD_NO_POOL',
      'inThread() needs the package piscina, which cannot be loaded. Install it: npm install piscina.',
      { cause },
    );
  }
}
