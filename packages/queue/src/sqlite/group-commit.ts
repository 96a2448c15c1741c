import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { noCounts, type JobState } from '../states.ts';
import { isBusy } from './errors.ts';
import type { Sql } from './sql.ts';

/** One piece of a transaction. It may be applied several times; only the last time counts. */
export interface Member<T = unknown> {
  /** Reads and writes, at once. What it throws fails this member alone. */
  apply(): T;
  /** It is committed. */
  done(result: T): void;
  /** It is not, and will not be. */
  failed(error: unknown): void;
  /** What it applied is rolled back; it will be applied again, or fail. */
  undone?(): void;
}

/** How long a member waits for a lock that another process has. */
const MAX_BUSY_MS = 5_000;
/** How long a transaction gathers members before the event loop has its turn. */
const MAX_BATCH_MS = 8;

interface Pending {
  readonly member: Member;
  /** Since when, on the monotonic clock, it has met nothing but a locked file. */
  busySinceMs: number | undefined;
}

/**
 * Gathers what is to be written until the event loop comes round, writes it in one transaction, and
 * reports when that is committed: a commit costs far more than what is in it.
 */
export class GroupCommit {
  /** Counts what the members move. */
  readonly tally: Tally = new Tally();
  readonly #sql: Sql;
  readonly #toError: (error: unknown) => unknown;
  #pending: Pending[] = [];
  /** Members that take more than one turn of the event loop, each in a transaction of its own. */
  #long: (() => Promise<void>)[] = [];
  #last: Member | undefined = undefined;
  #isLastWanted = false;
  #isArmed = false;
  #busyTurns = 0;
  /** Reads that wait until a transaction of several turns is over. */
  #readers: (() => void)[] = [];
  #isOpen = false;

  /** @param toError - Makes what a caller is told of what SQLite says. */
  constructor(sql: Sql, toError: (error: unknown) => unknown) {
    this.#sql = sql;
    this.#toError = toError;
  }

  /** Resolves when committed. */
  run<T>(apply: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.add({ apply, done: resolve, failed: reject });
    });
  }

  add<T>(member: Member<T>): void {
    this.#pending.push({ member: member as Member, busySinceMs: undefined });
    this.#arm();
  }

  /** The member that is applied after all others of a batch, in each batch for which it is wanted. */
  setLast(member: Member): void {
    this.#last = member;
  }

  wantLast(): void {
    this.#isLastWanted = true;
    this.#arm();
  }

  /**
   * Runs a piece that is too long for one turn of the event loop: it yields where the loop may turn,
   * the transaction stays open meanwhile, and everybody else waits.
   */
  runLong<T>(steps: () => Generator<void, T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#long.push(() => this.#stepThrough(steps).then(resolve, reject));
      this.#arm();
    });
  }

  /** Reads what is committed. */
  read<T>(query: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (): void => {
        try {
          resolve(query());
        } catch (error) {
          reject(this.#toError(error));
        }
      };
      if (this.#isOpen) this.#readers.push(answer);
      else answer();
    });
  }

  /** Nothing waits to be written any more. */
  async settled(): Promise<void> {
    while (this.#isArmed || this.#isOpen) await nextTurn();
  }

  #arm(delayMs = 0): void {
    if (this.#isArmed || this.#isOpen) return;
    this.#isArmed = true;
    const flush = (): void => {
      this.#isArmed = false;
      this.#flush();
    };
    if (delayMs > 0) setTimeout(flush, delayMs);
    else setImmediate(flush);
  }

  #flush(): void {
    const long = this.#long.shift();
    if (long) {
      this.#isOpen = true;
      void long().finally(() => {
        this.#isOpen = false;
        for (const answer of this.#readers.splice(0)) answer();
        this.#armIfNeeded();
      });
      return;
    }
    const batch = this.#pending;
    this.#pending = [];
    try {
      this.#commitTogether(batch);
    } catch (error) {
      if (isBusy(error)) this.#retryLater(batch, error);
      else if (batch.length > 0) this.#commitSingly(batch);
      else {
        this.#isLastWanted = false;
        this.#last?.failed(this.#toError(error));
      }
    }
    this.#armIfNeeded();
  }

  #armIfNeeded(): void {
    if (this.#pending.length > 0 || this.#long.length > 0 || this.#isLastWanted) {
      this.#arm(this.#busyTurns === 0 ? 0 : pauseMs(this.#busyTurns));
    }
  }

  /** @throws What went wrong; then nothing of the batch happened. */
  #commitTogether(batch: Pending[]): void {
    const results: unknown[] = [];
    let last: Member | undefined;
    let lastResult: unknown;
    this.#transact(
      () => {
        const endMs = performance.now() + MAX_BATCH_MS;
        for (const { member } of batch) {
          // Noted before: one that throws half-way has something to undo as well.
          results.push(undefined);
          results[results.length - 1] = member.apply();
          if (performance.now() > endMs) break;
        }
        // Asked only now: the members may have made it wanted.
        last = this.#isLastWanted ? this.#last : undefined;
        lastResult = last?.apply();
      },
      () => {
        for (const { member } of batch.slice(0, results.length)) member.undone?.();
        last?.undone?.();
      },
    );
    if (last) this.#isLastWanted = false;
    this.#busyTurns = 0;
    if (results.length < batch.length) {
      this.#pending = batch.slice(results.length).concat(this.#pending);
    }
    for (const [index, result] of results.entries()) batch[index]?.member.done(result);
    last?.done(lastResult);
  }

  /** One bad member must not take its neighbours with it. */
  #commitSingly(batch: readonly Pending[]): void {
    for (const pending of batch) {
      const { member } = pending;
      let result: unknown;
      try {
        this.#transact(
          () => (result = member.apply()),
          () => member.undone?.(),
        );
      } catch (error) {
        if (isBusy(error)) this.#retryLater([pending], error);
        else member.failed(this.#toError(error));
        continue;
      }
      member.done(result);
    }
  }

  #transact(body: () => void, undo: () => void): void {
    this.#sql.rollback(); // one that a failed ROLLBACK left open
    this.#sql.run('BEGIN IMMEDIATE');
    try {
      body();
      this.tally.write(this.#sql);
      this.#sql.run('COMMIT');
    } catch (error) {
      this.tally.forget();
      undo();
      this.#sql.rollback();
      throw error;
    }
  }

  #retryLater(batch: readonly Pending[], error: unknown): void {
    this.#busyTurns += 1;
    const nowMs = performance.now();
    const again: Pending[] = [];
    for (const pending of batch) {
      pending.busySinceMs ??= nowMs;
      if (nowMs - pending.busySinceMs < MAX_BUSY_MS) again.push(pending);
      else pending.member.failed(this.#toError(error));
    }
    this.#pending = again.concat(this.#pending);
  }

  async #stepThrough<T>(steps: () => Generator<void, T>): Promise<T> {
    try {
      await this.#begin();
      const iterator = steps();
      let step = iterator.next();
      while (!step.done) {
        await nextTurn();
        step = iterator.next();
      }
      this.tally.write(this.#sql);
      this.#sql.run('COMMIT');
      return step.value;
    } catch (error) {
      this.tally.forget();
      this.#sql.rollback();
      throw this.#toError(error);
    }
  }

  async #begin(): Promise<void> {
    await retryWhileBusy(() => {
      this.#sql.rollback(); // see #transact
      this.#sql.run('BEGIN IMMEDIATE');
    });
  }
}

/** Tries again as long as somebody else has the lock, for 5 s, without standing in anybody's way. */
export async function retryWhileBusy<T>(attempt: () => T): Promise<T> {
  const endMs = performance.now() + MAX_BUSY_MS;
  for (let turn = 1; ; turn += 1) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error) || performance.now() > endMs) throw error;
    }
    await sleep(pauseMs(turn));
  }
}

/** Short at first; not the same in two processes, which would meet again and again. */
function pauseMs(turn: number): number {
  return Math.min(turn, 20) * (0.5 + Math.random());
}

/** Counts the moves of jobs during a transaction, and writes the sums down at its end. */
export class Tally {
  readonly #changes = new Map<string, Map<JobState, number>>();

  add(queue: string, state: JobState, jobs = 1): void {
    let states = this.#changes.get(queue);
    if (!states) this.#changes.set(queue, (states = new Map<JobState, number>()));
    states.set(state, (states.get(state) ?? 0) + jobs);
  }

  move(queue: string, from: JobState, to: JobState, jobs = 1): void {
    this.add(queue, from, -jobs);
    this.add(queue, to, jobs);
  }

  /** To be called as the last thing before the commit. */
  write(sql: Sql): void {
    for (const [queue, states] of this.#changes) {
      for (const [state, jobs] of states) {
        if (jobs === 0) continue;
        sql.run(
          `INSERT INTO tallies (queue, state, jobs) VALUES (?, ?, ?)
           ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + excluded.jobs`,
          queue,
          state,
          jobs,
        );
      }
    }
    this.#changes.clear();
  }

  /** The transaction did not happen. */
  forget(): void {
    this.#changes.clear();
  }
}

/** How many jobs of the queue are in each state. */
export function readTally(sql: Sql, queue: string): Record<JobState, number> {
  const counts = noCounts();
  for (const row of sql.all('SELECT state, jobs FROM tallies WHERE queue = ?', queue)) {
    counts[row.state as JobState] = Number(row.jobs); // written by Tally alone
  }
  return counts;
}
