import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock, type Clock } from '../../src/clock.ts';
import type { Attempt, DriverStart, JobRecord, NewJob, Verdict } from '../../src/driver.ts';
import type { SqliteOptions } from '../../src/sqlite/open.ts';
import { SqliteDriver } from '../../src/sqlite/sqlite-driver.ts';

export const DAY_MS = 86_400_000;

/** A folder that is gone when the test is over. */
export async function tempFolder(): Promise<AsyncDisposable & { readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'job-store-'));
  return {
    file: join(folder, 'jobs.db'),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

export interface Opened extends AsyncDisposable {
  readonly driver: SqliteDriver;
  readonly logged: string[];
}

export interface OpenOptions extends Omit<SqliteOptions, 'file'> {
  readonly clock?: Clock;
  readonly keepMs?: Partial<DriverStart['keepMs']>;
  readonly onStatement?: (text: string) => void;
}

/** A started driver that is stopped when the test is over. */
export async function open(file: string, options: OpenOptions = {}): Promise<Opened> {
  const { clock = systemClock, keepMs, onStatement, ...rest } = options;
  const driver = new SqliteDriver({ file, ...rest }, onStatement);
  const logged: string[] = [];
  const write = (_fields: object | string, message = ''): void => void logged.push(message);
  await driver.start({
    clock,
    log: { info: write, error: write },
    keepMs: { completed: DAY_MS, failed: DAY_MS, cancelled: DAY_MS, ...keepMs },
  });
  return {
    driver,
    logged,
    [Symbol.asyncDispose]: async () => void (await driver.stop({ timeoutMs: 0 })),
  };
}

let made = 0;

export function newJob(changes: Partial<NewJob> = {}): NewJob {
  made += 1;
  return {
    id: `job-${process.pid}-${made}`,
    queue: 'mail',
    task: 'send',
    payload: '{"to":"ann"}',
    priority: 5,
    attempts: 3,
    runAtMs: systemClock.now(),
    ...changes,
  };
}

export function newJobs(count: number, changes: Partial<NewJob> = {}): NewJob[] {
  return Array.from({ length: count }, () => newJob(changes));
}

export const COMPLETE: Verdict = { type: 'complete' };

/** What runs jobs in place of an engine: tells which jobs it got, and waits for a number of them. */
export class Handler {
  readonly jobs: JobRecord[] = [];
  /** The ids of those whose verdict came too late. */
  readonly stale: string[] = [];
  readonly #decide: (attempt: Attempt) => Verdict | Promise<Verdict>;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(decide: (attempt: Attempt) => Verdict | Promise<Verdict> = () => COMPLETE) {
    this.#decide = decide;
  }

  readonly run = async (attempt: Attempt): Promise<void> => {
    this.jobs.push(attempt.record);
    this.#waiting = this.#waiting.filter(({ count, resolve }) => {
      if (this.jobs.length < count) return true;
      resolve();
      return false;
    });
    const counts = await attempt.settle(await this.#decide(attempt));
    if (!counts) this.stale.push(attempt.record.id);
  };

  get ids(): string[] {
    return this.jobs.map(({ id }) => id);
  }

  async started(count: number): Promise<void> {
    if (this.jobs.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }
}

/** Resolves when as many jobs as that have moved to the state, beginning with the call. */
export function moved(driver: SqliteDriver, state: string, count = 1): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const stop = driver.onEvent(({ type }) => {
      if (type === state && --left === 0) {
        stop();
        resolve();
      }
    });
  });
}

/** Work on a queue with places for 10. */
export function work(driver: SqliteDriver, handler: Handler, concurrency = 10): void {
  driver.work('mail', { concurrency, leaseMs: 10_000 }, handler.run);
}

/**
 * What must hold in every file at rest: the tallies are the counts, nothing is damaged, and no row names
 * a worker that is not there.
 */
export function faultsOf(file: string): string[] {
  const db = new DatabaseSync(file);
  try {
    const faults: string[] = [];
    const check = db.prepare('PRAGMA integrity_check').get();
    if (check?.integrity_check !== 'ok') faults.push(String(check?.integrity_check));
    const counted = db
      .prepare('SELECT queue, state, count(*) AS jobs FROM jobs GROUP BY 1, 2 ORDER BY 1, 2')
      .all();
    const tallied = db.prepare('SELECT * FROM tallies WHERE jobs <> 0 ORDER BY 1, 2').all();
    if (JSON.stringify(counted) !== JSON.stringify(tallied)) {
      faults.push(`${JSON.stringify(tallied)} is tallied, ${JSON.stringify(counted)} is there`);
    }
    const lost = db
      .prepare(
        `SELECT id, state FROM jobs WHERE holder NOT IN (SELECT id FROM workers)
         OR (state = 'running' AND holder IS NULL)`,
      )
      .all();
    if (lost.length > 0) faults.push(`nobody holds ${JSON.stringify(lost)}`);
    return faults;
  } finally {
    db.close();
  }
}
