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
  type Clock,
  ERROR_HISTORY,
  type ErrorInfo,
  type JobRecord,
  type Outcome,
} from '@thereafter/queue/driver';
import { Batch } from './batch.ts';
import { idToKeyPart } from './keys.ts';
import { toRecord, type Fields } from './record.ts';
import type { SuspectPlace } from './suspects.ts';
import { RECOVER, STEP, WAKE } from './scripts/work.ts';
import { run } from './scripts/script.ts';

/** An outcome as the engine says it, or that the job was not done and somebody else is to do it. */
export type Ending = Outcome | { readonly type: 'handed-back' };

/** The attempt that a worker has claimed. */
export interface Claim {
  readonly record: JobRecord;
  readonly token: string;
}

export interface BackendOptions {
  /** As a part of a key. */
  readonly queue: string;
  readonly prefix: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  /** Shared with the other queues. */
  readonly client: Redis;
  /** Of this queue alone: it waits for jobs. */
  readonly waiting: Redis;
  /** The times before which ended jobs are forgotten, in the order of the scripts. */
  readonly forgetBefore: () => readonly number[];
  /** Shared with the other queues. */
  readonly suspects: SuspectPlace;
  readonly onStale: (record: JobRecord) => void;
}

interface Step {
  readonly ended?: { readonly claim: Claim; readonly ending: Ending };
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
  readonly #claims = new Map<string, Claim>();
  readonly #endings = new Map<string, Ending>();
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
  claimOf(token: string): Claim {
    const claim = this.#claims.get(token);
    if (!claim) throw new Error(`No job is held by ${token}.`);
    return claim;
  }

  /** How the attempt ended: said before the worker settles it. */
  end(token: string, ending: Ending): void {
    this.#endings.set(token, ending);
  }

  override moveToActive(token: string): Promise<Next> {
    return this.#steps.add({ token });
  }

  /** Called for every attempt, however it ended: that is what `end` was told. */
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
    return this.#settle(token, fetchNext);
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
    const claim = this.claimOf(token);
    const ending = this.#endings.get(token);
    if (!ending) throw new Error(`Nobody said how the job ${claim.record.id} ended.`);
    const result = await this.#steps.add({
      ended: { claim, ending },
      token: fetchNext ? token : undefined,
    });
    return { result, finishedOn: this.#options.clock.now() };
  }

  async #step(steps: readonly Step[]): Promise<readonly Next[]> {
    const { suspects, onStale } = this.#options;
    const ended = steps.flatMap((step) => step.ended ?? []);
    const tokens = steps.flatMap((step) => step.token ?? []);
    if (ended.some(({ claim }) => isSuspect(claim))) suspects.leave();
    const maySuspect = tokens.length > 0 && suspects.take();
    let hasSuspect = false;
    try {
      const [settled, claimed, dueMs] = await this.#ask(ended, tokens, maySuspect);
      for (const [i, { claim }] of ended.entries()) {
        this.#claims.delete(claim.token);
        this.#endings.delete(claim.token);
        if (settled[i] === 0) onStale(claim.record);
      }
      for (const [i, fields] of claimed.entries()) {
        const claim = this.#claim(tokens[i] as string, fields); // one each
        hasSuspect ||= isSuspect(claim);
      }
      if (dueMs > 0) this.#setAlarm(dueMs);
    } finally {
      if (maySuspect && !hasSuspect) suspects.leave();
    }
    return steps.map(({ token }) => this.#next(token));
  }

  async #ask(
    ended: readonly { readonly claim: Claim; readonly ending: Ending }[],
    tokens: readonly string[],
    maySuspect: boolean,
  ): Promise<[settled: number[], claimed: Fields[], dueMs: number]> {
    const { client, prefix, queue, clock, leaseMs, forgetBefore } = this.#options;
    const nowMs = Math.floor(clock.now());
    const head = [queue, nowMs, leaseMs, ...forgetBefore(), maySuspect ? 1 : 0, ended.length];
    const settling = ended.flatMap(({ claim, ending }) => toArguments(claim, ending, nowMs));
    const reply = await run(client, STEP, prefix, [...head, ...settling, ...tokens]);
    return reply as [number[], Fields[], number]; // what the script gives
  }

  #claim(token: string, fields: Fields): Claim {
    const id = fields.at(-1) as string; // the script adds it
    const claim = { token, record: toRecord(this.#options.queue, id, fields) };
    this.#claims.set(token, claim);
    return claim;
  }

  #next(token: string | undefined): Next {
    const claim = token === undefined ? undefined : this.#claims.get(token);
    if (!claim) return [null, '', 0, 0];
    return [{ ...EMPTY_JOB, id: claim.record.id }, claim.record.id, 0, 0];
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

function isSuspect({ record }: Claim): boolean {
  return record.crashes > 0;
}

function toArguments({ record, token }: Claim, ending: Ending, nowMs: number): (string | number)[] {
  const head = [idToKeyPart(record.id), token];
  switch (ending.type) {
    case 'complete':
      return [...head, 'completed', ending.result ?? '', ''];
    case 'fail':
      return [...head, 'failed', withError(record, ending.error), ending.error.message];
    case 'retry':
      return [...head, 'retry', withError(record, ending.error), nowMs + ending.delayMs];
    case 'snooze':
      return [...head, 'snooze', '', nowMs + ending.delayMs];
    case 'cancel':
      return [...head, 'cancelled', '', ''];
    case 'handed-back':
      return [...head, 'handed-back', '', ''];
  }
}

function withError({ errors }: JobRecord, error: ErrorInfo): string {
  return JSON.stringify([...errors, error].slice(-ERROR_HISTORY));
}
