import { describe, expect, it } from 'vitest';
import type { NewJob, Verdict } from '../../src/driver.ts';
import { SqliteStoreError } from '../../src/sqlite/errors.ts';
import { SqliteDriver } from '../../src/sqlite/sqlite-driver.ts';
import { COMPLETE, faultsOf, Handler, newJob, newJobs, open, tempFolder } from './support.ts';

/*
 * The first statement on the store fails, then in a new run the second, and so on until a run meets no
 * fault. Whatever fails: what was acknowledged is there, what was refused is not, and the file is sound.
 */

/** Result codes of SQLite. */
const FAULTS = {
  'the disk is full': 13,
  'a write fails': 10,
  'there is no memory': 7,
} as const;

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('injected'), { code: 'ERR_SQLITE_ERROR', errcode });
}

/** Fails one statement, counted from 1. */
class Injector {
  #left: number;
  readonly #errcode: number;
  hasStruck = false;

  constructor(at: number, errcode: number) {
    this.#left = at;
    this.#errcode = errcode;
  }

  readonly onStatement = (text: string): void => {
    // Of these SQLite itself promises that they succeed when the transaction can be read.
    if (text === 'ROLLBACK' || (this.#left -= 1) !== 0) return;
    this.hasStruck = true;
    throw sqliteError(this.#errcode);
  };
}

interface Told {
  readonly stored: NewJob[];
  readonly complaints: unknown[];
  readonly ran: string[];
}

/** A life of a driver: it stores by ones and in bulk, runs with several verdicts, releases, cancels, retries. */
async function live(file: string, injector: Injector): Promise<Told> {
  const told: Told = { stored: [], complaints: [], ran: [] };
  const driver = new SqliteDriver({ file }, injector.onStatement);
  const quiet = (): void => undefined;
  const day = 86_400_000;
  try {
    await driver.start({
      clock: { now: () => Date.now(), at: () => quiet },
      log: { info: quiet, error: quiet },
      keepMs: { completed: day, failed: day, cancelled: day },
    });
  } catch (error) {
    told.complaints.push(error);
    return told;
  }
  const put = async (jobs: readonly NewJob[]): Promise<void> => {
    try {
      await driver.enqueue(jobs);
      told.stored.push(...jobs);
    } catch (error) {
      told.complaints.push(error);
    }
  };
  const handler = new Handler(({ record }): Verdict => {
    told.ran.push(record.id);
    if (record.attempt > 1 || record.task !== 'retried') return COMPLETE;
    const error = { name: 'E', message: 'm', attempt: record.attempt, atMs: 1 };
    return { type: 'retry', delayMs: 0, error };
  });
  const worker = driver.work('mail', { concurrency: 2, leaseMs: 1 }, handler.run);
  const held = newJob({ isHeld: true });
  await Promise.all([
    put([newJob()]),
    put(newJobs(3)),
    put([held]),
    put([newJob({ task: 'retried' })]),
  ]);
  const later = newJob({ runAtMs: Date.now() + day });
  await put([later]);
  const ignore = (): undefined => undefined;
  await Promise.all([
    driver.release([held]).catch(ignore),
    driver.cancel(later.id).catch(ignore),
    driver.retry(later.id).catch(ignore),
  ]);
  await put(newJobs(1_001)); // in two steps
  worker.quiet();
  await driver.stop({ timeoutMs: 0 });
  return told;
}

describe('a fault at each statement in turn', () => {
  it.each(Object.entries(FAULTS))('loses nothing when %s', async (_name, errcode) => {
    let at = 1;
    for (; ; at += 1) {
      await using folder = await tempFolder();
      const injector = new Injector(at, errcode);
      const told = await live(folder.file, injector);
      // The next process finds all that was acknowledged, and nothing else.
      await using opened = await open(folder.file);
      const { driver } = opened;
      const items = [];
      for (let cursor: string | undefined; ;) {
        const page = await driver.list({ limit: 500, cursor });
        items.push(...page.items);
        ({ cursor } = page);
        if (cursor === undefined) break;
      }
      const there = items.map(({ id }) => id).toSorted();
      expect(there, `fault at ${at}`).toEqual(told.stored.map(({ id }) => id).toSorted());
      expect(items.filter(({ state }) => state === 'running')).toEqual([]);
      const completed = items.filter(({ state }) => state === 'completed');
      expect(completed.filter(({ id }) => !told.ran.includes(id))).toEqual([]);
      expect(told.complaints.filter((error) => !(error instanceof SqliteStoreError))).toEqual([]);
      expect(faultsOf(folder.file), `fault at ${at}`).toEqual([]);
      if (!injector.hasStruck) break;
      // Each statement of the long enqueue is like the one before.
      if (at > 150) at += 37;
    }
    expect(at).toBeGreaterThan(1_000); // it has gone through all of them
  });

  it('stores again as soon as the disk has room', async () => {
    await using folder = await tempFolder();
    let isFull = false;
    await using opened = await open(folder.file, {
      onStatement: (text) => {
        if (isFull && (text === 'COMMIT' || text.startsWith('INSERT'))) throw sqliteError(13);
      },
    });
    isFull = true;
    await expect(opened.driver.enqueue([newJob()])).rejects.toMatchObject({
      code: 'SQLITE_STORE_FULL',
      message: expect.stringContaining('Make room') as string,
    });
    isFull = false;
    const job = newJob();
    await opened.driver.enqueue([job]);
    expect((await opened.driver.get(job.id))?.state).toBe('available');
  });

  it('keeps a verdict that the disk refuses, and writes it when it can', async () => {
    await using folder = await tempFolder();
    let isFull = false;
    await using opened = await open(folder.file, {
      onStatement: (text) => {
        if (isFull && text === 'COMMIT') throw sqliteError(13);
      },
    });
    const { driver, logged } = opened;
    const job = newJob();
    const handler = new Handler(() => {
      isFull = true;
      return COMPLETE;
    });
    driver.work('mail', { concurrency: 1, leaseMs: 1 }, handler.run);
    await driver.enqueue([job]);
    await handler.started(1);
    while (!logged.some((line) => line.includes('end of a job'))) await new Promise(setImmediate);
    isFull = false;
    while ((await driver.get(job.id))?.state !== 'completed') await new Promise(setImmediate);
    expect(handler.jobs).toHaveLength(1);
  });

  it('rolls back what a failed ROLLBACK left open', async () => {
    await using folder = await tempFolder();
    let broken = new Set<string>();
    await using opened = await open(folder.file, {
      onStatement: (text) => {
        if (broken.has(text)) throw sqliteError(10);
      },
    });
    broken = new Set(['COMMIT', 'ROLLBACK']);
    const lost = newJob();
    await expect(opened.driver.enqueue([lost])).rejects.toMatchObject({
      code: 'SQLITE_STORE_FAILED',
    });
    broken = new Set();
    await opened.driver.enqueue([newJob()]);
    expect(await opened.driver.get(lost.id)).toBeNull();
    expect((await opened.driver.counts('mail')).available).toBe(1);
  });
});
