import {
  QueueKeys,
  RedisConnection,
  RedisQueueBackend,
  type JobJson,
  type MinimalJob,
  type QueueOptions,
} from 'bullmq';
import type { Redis } from 'ioredis';
import {
  Attempt,
  withError,
  type Clock,
  type ErrorInfo,
  type JobRecord,
  type Verdict,
} from '@thereafter/queue/driver';
import { Batch } from './batch.ts';
import { idToKeyPart } from './keys.ts';
import { toRecord, type Fields } from './record.ts';
import { RECOVER, STEP, WAKE } from './scripts/work.ts';
import { run } from './scripts/script.ts';

/** A verdict of the engine, or that the job was not done and somebody else is to do it. */
type Ending = Verdict | { readonly type: 'handed-back' };

/**
 * A claimed job in this process. BullMQ's worker waits until it has ended, and then has the backend
 * settle it.
 */
export class RedisAttempt extends Attempt {
  /** By which this process holds the job. */
  readonly token: string;
  /** Whether it is known that the job was given to another. */
  isLost = false;
  /** How it ended; undefined while it runs. */
  ending: Ending | undefined = undefined;
  readonly #ended = Promise.withResolvers<void>();
  #tell: ((counts: boolean) => void) | undefined = undefined;

  constructor(record: JobRecord, token: string) {
    super(record);
    this.token = token;
  }

  /** Resolves when the engine, or a hand-back, has said what becomes of the job. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  settle(verdict: Verdict): Promise<boolean> {
    return new Promise((resolve) => {
      this.#tell = resolve;
      this.end(verdict);
    });
  }

  /** Ends it, unless it has ended. */
  end(ending: Ending): void {
    this.ending ??= ending;
    this.#ended.resolve();
  }

  /** Redis has it, or will not have it. */
  tell(isSettled: boolean): void {
    this.#tell?.(isSettled && this.ending?.type !== 'handed-back');
  }
}

/**
 * The one place of a process for a suspect: a job whose worker was lost while it ran may be the cause. A
 * process runs one of them at a time, of all its queues, so that the culprit, when it strikes again,
 * takes none of the others with it.
 */
export class SuspectPlace {
  #isTaken = false;

  /** @returns Whether the place was free; then it is not any more. */
  take(): boolean {
    if (this.#isTaken) return false;
    this.#isTaken = true;
    return true;
  }

  leave(): void {
    this.#isTaken = false;
  }
}

/** What a queue is worked on with. */
export interface BackendOptions {
  readonly queue: string;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Shared with the other queues. */
  readonly client: Redis;
  /** Of this queue alone, and ended with it: it waits for jobs. */
  readonly waiting: Redis;
  /** The times before which ended jobs are forgotten, in the order of the scripts. */
  readonly forgetBefore: () => readonly number[];
  /** Shared with the other queues. */
  readonly suspects: SuspectPlace;
}

interface Step {
  readonly ended?: RedisAttempt;
  /** Wants a job, which it will hold by this token. */
  readonly token?: string | undefined;
}

/** A job for BullMQ's loop: it needs no more than the id. */
type Next = [job: JobJson | null, id?: string, limitMs?: number, dueMs?: number];

/**
 * How BullMQ's worker talks to Redis for us. The worker keeps the loop, the places of its concurrency, the
 * wait for jobs and the connections; which job comes next and what becomes of one that has ended is decided
 * by our scripts, so that jobs behave here as in every other store.
 */
export class JobBackend extends RedisQueueBackend {
  readonly #options: BackendOptions;
  readonly #steps: Batch<Step, Next>;
  /** By token, until they are settled. */
  readonly #attempts = new Map<string, RedisAttempt>();
  #callOffAlarm: (() => void) | undefined = undefined;
  #alarmMs = Infinity;

  constructor(options: BackendOptions) {
    const { queue, prefix, client, waiting } = options;
    const keys = new QueueKeys(prefix);
    const queueOptions: QueueOptions = { connection: client, prefix };
    super(
      new RedisConnection(client, { shared: true, blocking: false }),
      queue,
      keys.getKeys(queue),
      (type) => keys.toKey(queue, type),
      queueOptions,
      new RedisConnection(waiting, { shared: false, blocking: true }),
    );
    this.#options = options;
    this.#steps = new Batch((steps) => this.#step(steps));
  }

  /** What was claimed by this token. */
  attemptOf(token: string): RedisAttempt {
    const attempt = this.#attempts.get(token);
    if (!attempt) throw new Error(`No attempt has the token ${token}.`);
    return attempt;
  }

  override moveToActive(token: string): Promise<Next> {
    return this.#steps.add({ token });
  }

  /** Called for every attempt, however it ended: that is in the attempt. */
  override async moveToCompleted<T, R, N extends string>(
    _job: MinimalJob<T, R, N>,
    _returnValue: R,
    _keep: unknown,
    token: string,
    fetchNext: boolean,
  ): Promise<{ result: Next; finishedOn: number }> {
    return this.#settle(token, fetchNext);
  }

  /** Called when settling was refused, say for want of memory: it is tried once more. */
  override async moveToFailed<T, R, N extends string>(
    _job: MinimalJob<T, R, N>,
    _reason: string,
    _keep: unknown,
    token: string,
    fetchNext: boolean,
  ): Promise<{ result: Next; finishedOn: number }> {
    try {
      return await this.#settle(token, fetchNext);
    } catch (error) {
      // It gives no sign of life any more: others will take the job.
      this.#forget(this.attemptOf(token), false);
      throw error;
    }
  }

  /** Of workers that gave no sign of life for as long as a lease. */
  override async moveStalledJobsToWait(): Promise<string[]> {
    const { client, prefix, queue, clock, leaseMs, forgetBefore } = this.#options;
    const args = [queue, Math.floor(clock.now()), leaseMs, ...forgetBefore()];
    return (await run(client, RECOVER, prefix, args)) as string[];
  }

  override async waitForJob(
    timeoutSeconds: number,
  ): Promise<{ member: string; score: number } | null> {
    const marker = await super.waitForJob(timeoutSeconds);
    if (marker?.member !== '1') return marker;
    // Something is due later. The clock says when, not the worker: it has one of its own.
    this.#setAlarm(marker.score);
    return null;
  }

  override close(force?: boolean): Promise<void> {
    this.#callOffAlarm?.();
    return super.close(force);
  }

  async #settle(token: string, fetchNext: boolean): Promise<{ result: Next; finishedOn: number }> {
    const ended = this.attemptOf(token);
    const result = await this.#steps.add({ ended, token: fetchNext ? token : undefined });
    return { result, finishedOn: this.#options.clock.now() };
  }

  #forget(attempt: RedisAttempt, isSettled: boolean): void {
    this.#attempts.delete(attempt.token);
    attempt.tell(isSettled);
  }

  async #step(steps: readonly Step[]): Promise<readonly Next[]> {
    const { suspects } = this.#options;
    const ended = steps.flatMap((step) => step.ended ?? []);
    const tokens = steps.flatMap((step) => step.token ?? []);
    if (ended.some(isSuspect)) suspects.leave();
    const maySuspect = tokens.length > 0 && suspects.take();
    let hasSuspect = false;
    try {
      const [settled, claimed, dueMs] = await this.#ask(ended, tokens, maySuspect);
      for (const [i, attempt] of ended.entries()) this.#forget(attempt, settled[i] === 1);
      for (const [i, fields] of claimed.entries()) {
        const attempt = this.#claim(tokens[i] as string, fields); // one each
        hasSuspect ||= isSuspect(attempt);
      }
      if (dueMs > 0) this.#setAlarm(dueMs);
    } finally {
      if (maySuspect && !hasSuspect) suspects.leave();
    }
    return steps.map(({ token }) => this.#next(token));
  }

  async #ask(
    ended: readonly RedisAttempt[],
    tokens: readonly string[],
    maySuspect: boolean,
  ): Promise<[settled: number[], claimed: Fields[], dueMs: number]> {
    const { client, prefix, queue, clock, leaseMs, forgetBefore } = this.#options;
    const nowMs = Math.floor(clock.now());
    const head = [queue, nowMs, leaseMs, ...forgetBefore(), maySuspect ? 1 : 0, ended.length];
    const settling = ended.flatMap((attempt) => toArguments(attempt, nowMs));
    const reply = await run(client, STEP, prefix, [...head, ...settling, ...tokens]);
    return reply as [number[], Fields[], number]; // what the script gives
  }

  #claim(token: string, fields: Fields): RedisAttempt {
    const id = fields.at(-1) as string; // the script adds it
    const attempt = new RedisAttempt(toRecord(this.#options.queue, id, fields), token);
    this.#attempts.set(token, attempt);
    return attempt;
  }

  #next(token: string | undefined): Next {
    const attempt = token === undefined ? undefined : this.#attempts.get(token);
    if (!attempt) return [null, '', 0, 0];
    const { id } = attempt.record;
    return [{ ...EMPTY_JOB, id }, id, 0, 0];
  }

  /** Wakes a worker when the time has come. */
  #setAlarm(timeMs: number): void {
    if (this.closing || timeMs >= this.#alarmMs) return;
    this.#callOffAlarm?.();
    this.#alarmMs = timeMs;
    const { client, prefix, queue, clock } = this.#options;
    this.#callOffAlarm = clock.at(timeMs, () => {
      this.#alarmMs = Infinity;
      this.#callOffAlarm = undefined;
      // Without an answer the workers look for themselves, a few seconds later.
      run(client, WAKE, prefix, [queue]).catch(() => {});
    });
  }
}

/** BullMQ's loop looks into none of it. */
const EMPTY_JOB: JobJson = {
  id: '',
  name: '',
  data: 'null',
  opts: {},
  progress: 0,
  attemptsMade: 0,
  attemptsStarted: 0,
  stalledCounter: 0,
  timestamp: 0,
  failedReason: '',
  stacktrace: '[]',
  returnvalue: 'null',
};

function isSuspect({ record }: RedisAttempt): boolean {
  return record.crashes > 0;
}

/** What the script is told of an attempt that has ended. */
function toArguments(attempt: RedisAttempt, nowMs: number): (string | number)[] {
  const { record, token, ending } = attempt;
  const head = [idToKeyPart(record.id), token];
  switch (ending?.type) {
    case 'complete':
      return [...head, 'completed', ending.result ?? '', ''];
    case 'fail':
      return [...head, 'failed', toJson(record, ending.error), ending.error.message];
    case 'retry':
      return [...head, 'retry', toJson(record, ending.error), nowMs + ending.delayMs];
    case 'snooze':
      return [...head, 'snooze', '', nowMs + ending.delayMs];
    case 'cancel':
      return [...head, 'cancelled', '', ''];
    case 'handed-back':
      return [...head, 'handed-back', '', ''];
    case undefined:
      throw new Error(`Nobody said how the job ${record.id} ended.`);
  }
}

function toJson({ errors }: JobRecord, error: ErrorInfo): string {
  return JSON.stringify(withError(errors, error));
}
