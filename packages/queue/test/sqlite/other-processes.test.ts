import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/driver.ts';
import {
  COMPLETE,
  faultsOf,
  Handler,
  moved,
  newJob,
  newJobs,
  open,
  tempFolder,
  work,
} from './support.ts';

/** Another process with a driver on the file; killed when disposed. */
class Neighbour implements AsyncDisposable {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves when it holds a job, and runs as many others as it is told. */
  static async start(file: string, held: string, runs: number): Promise<Neighbour> {
    const child = fork(new URL('./neighbour.ts', import.meta.url), [file, held, String(runs)], {
      execArgv: ['--conditions=thereafter-source'],
    });
    const neighbour = new Neighbour(child);
    await once(child, 'message');
    return neighbour;
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

function error(attempt: number): Extract<Verdict, { type: 'fail' }>['error'] {
  return { name: 'E', message: 'm', attempt, atMs: 1 };
}

describe('a store of several processes', () => {
  it('gives back at once what a killed process ran and held, while another works', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    const held = newJob();
    const jobs = newJobs(3, { queue: 'remote' });
    await opened.driver.enqueue(jobs);
    await using neighbour = await Neighbour.start(folder.file, held.id, jobs.length);
    expect((await opened.driver.counts('remote')).running).toBe(3);
    expect((await opened.driver.get(held.id))?.state).toBe('scheduled');
    const available = moved(opened.driver, 'available', 4);
    await neighbour.kill();
    await available;
    expect((await opened.driver.counts('remote')).available).toBe(3);
    expect((await opened.driver.get(held.id))?.state).toBe('available');
    expect(await opened.driver.get(jobs[0]!.id)).toMatchObject({ attempt: 1, crashes: 1 });
    expect(faultsOf(folder.file)).toEqual([]);
  });

  it('leaves a process alone that lives, and runs no job of it', async () => {
    await using folder = await tempFolder();
    const held = newJob();
    {
      await using first = await open(folder.file);
      await first.driver.enqueue(newJobs(2, { queue: 'remote' }));
    }
    await using neighbour = await Neighbour.start(folder.file, held.id, 2);
    // Each start looks for dead ones.
    for (let i = 0; i < 5; i += 1) {
      await using _opened = await open(folder.file);
    }
    await using opened = await open(folder.file);
    expect((await opened.driver.counts('remote')).running).toBe(2);
    expect((await opened.driver.get(held.id))?.state).toBe('scheduled');
    await neighbour.kill();
  });

  it('tidies away the lock file of a killed process', async () => {
    await using folder = await tempFolder();
    const neighbour = await Neighbour.start(folder.file, newJob().id, 0);
    await neighbour.kill();
    const locks = (): string[] =>
      readdirSync(dirname(folder.file)).filter((name) =>
        name.startsWith(`${basename(folder.file)}-worker-`),
      );
    expect(locks()).toHaveLength(1);
    const [old] = locks();
    await using _opened = await open(folder.file);
    expect(locks()).toHaveLength(1);
    expect(locks()).not.toContain(old);
  });

  it('waits for a lock without holding up the event loop, and stores then', async () => {
    await using folder = await tempFolder();
    let attempts = 0;
    await using opened = await open(folder.file, {
      onStatement: (text) => void (text.startsWith('BEGIN') && (attempts += 1)),
    });
    using other = new DatabaseSync(folder.file);
    other.exec('BEGIN IMMEDIATE');
    attempts = 0;
    const stored = opened.driver.enqueue([newJob()]);
    while (attempts < 3) await new Promise(setImmediate); // of which there are some between two attempts
    other.exec('COMMIT');
    expect(await stored).toMatchObject([{ duplicate: false }]);
  });

  it('gives up after five seconds, and goes on when the lock is free', async () => {
    await using folder = await tempFolder();
    await using opened = await open(folder.file);
    using other = new DatabaseSync(folder.file);
    other.exec('BEGIN IMMEDIATE');
    const startMs = performance.now();
    await expect(opened.driver.enqueue([newJob()])).rejects.toMatchObject({
      code: 'SQLITE_STORE_BUSY',
    });
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(5_000);
    other.exec('ROLLBACK');
    await opened.driver.enqueue([newJob()]);
    expect((await opened.driver.counts('mail')).available).toBe(1);
  });
});

describe('jobs that lost their worker', () => {
  /** A file with jobs of a killed process, and others that wait. */
  async function afterCrash(file: string): Promise<{ suspects: string[]; others: string[] }> {
    const suspects = newJobs(3, { queue: 'mail' });
    const others = newJobs(3, { queue: 'mail' });
    const held = newJob({ queue: 'other' });
    {
      await using first = await open(file);
      await first.driver.enqueue(suspects);
    }
    await using neighbour = await Neighbour.start(file, held.id, 3);
    await using second = await open(file);
    await second.driver.enqueue(others);
    await neighbour.kill();
    return { suspects: suspects.map(({ id }) => id), others: others.map(({ id }) => id) };
  }

  it('run one at a time with nothing beside them, then the others run together', async () => {
    await using folder = await tempFolder();
    const { suspects, others } = await afterCrash(folder.file);
    await using opened = await open(folder.file);
    const running = new Set<string>();
    const beside = new Map<string, number>();
    const completed = moved(opened.driver, 'completed', 6);
    const handler = new Handler(async ({ record }) => {
      running.add(record.id);
      for (let i = 0; i < 5; i += 1) {
        await new Promise(setImmediate);
        beside.set(record.id, Math.max(beside.get(record.id) ?? 0, running.size));
      }
      running.delete(record.id);
      return COMPLETE;
    });
    work(opened.driver, handler);
    await completed;
    expect(suspects.map((id) => beside.get(id))).toEqual([1, 1, 1]);
    expect(others.map((id) => beside.get(id))).toEqual([3, 3, 3]);
  });

  it('are like others once they have ended, in whatever way', async () => {
    await using folder = await tempFolder();
    const { suspects } = await afterCrash(folder.file);
    await using opened = await open(folder.file);
    const { promise: all, resolve } = Promise.withResolvers<void>();
    let together = 0;
    const handler = new Handler(async ({ record }): Promise<Verdict> => {
      if (!suspects.includes(record.id)) return COMPLETE;
      if (record.attempt === 2) return { type: 'retry', delayMs: 0, error: error(2) };
      if ((together += 1) === 3) resolve();
      await all; // would never be, one at a time
      return COMPLETE;
    });
    const completed = moved(opened.driver, 'completed', 6);
    work(opened.driver, handler);
    await completed;
    expect(together).toBe(3);
  });
});
