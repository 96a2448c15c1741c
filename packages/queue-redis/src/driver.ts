import {
  ArgumentError,
  HOLD_MS,
  FINAL_STATES,
  JOB_STATES,
  noCounts,
  within,
  type Capability,
  type DriverStart,
  type JobDriver,
  type JobEvent,
  type JobRecord,
  type JobState,
  type ListQuery,
  type NewJob,
  type Page,
  type RunAttempt,
  type Schedule,
  type Stored,
  type WorkerHandle,
  type WorkOptions,
} from '@thereafter/queue/driver';
import type { Redis } from 'ioredis';
import { SuspectPlace } from './backend.ts';
import { Batch } from './batch.ts';
import { checkSettings, Connections, disconnect, ready } from './connect.ts';
import { RedisUnavailableError } from './errors.ts';
import { fromKeyPart, idToKeyPart, toKeyPart } from './keys.ts';
import { Messages } from './messages.ts';
import { toColumns, toRecord, type Fields } from './record.ts';
import {
  CANCEL,
  COUNTS,
  GET,
  IS_PAUSED,
  LIST,
  PAUSE,
  PUT_SCHEDULE,
  QUEUES,
  REMOVE,
  REMOVE_SCHEDULE,
  RESUME,
  RETRY,
  SCHEDULES,
  TICKED,
} from './scripts/manage.ts';
import { run, type Script } from './scripts/script.ts';
import { ENQUEUE, RELEASE } from './scripts/store.ts';
import { PROGRESS } from './scripts/work.ts';
import { WorkedQueue } from './worked-queue.ts';

/** What `bullmq()` takes. */
export interface BullmqOptions {
  /** Where Redis or Valkey is, e.g. `redis://localhost:6379` or `rediss://:password@host:6380/0`. */
  readonly url: string;
  /** With what every key begins; apps with the same prefix share their jobs. Default `'thereafter'`. */
  readonly prefix?: string | undefined;
}

/** Longest wait for an answer to somebody who wants to go on, such as a request. */
const ANSWER_MS = 1_500;

/** Of one call: a message to Redis has a million parts at most, and a job has 13. */
const MOST_JOBS = 50_000;

/** What lives from `start` to `stop`. */
interface Live extends DriverStart {
  readonly connections: Connections;
  /** For those who want an answer soon. */
  readonly client: Redis;
  readonly messages: Messages;
  readonly subscriber: Redis;
  /** For the workers; made for the first. */
  workClient: Redis | undefined;
  readonly suspects: SuspectPlace;
}

/** A store of jobs on Redis; see `bullmq()`. */
export class BullmqDriver implements JobDriver {
  readonly name = 'bullmq';
  readonly capabilities: ReadonlySet<Capability> = new Set([
    'progress',
    'pause',
    'snooze',
    'cancelRunning',
    'uniquePeriod',
    'list',
    'multiMachine',
  ]);
  readonly #url: string;
  readonly #prefix: string;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #stores = new Batch<readonly NewJob[], readonly Stored[]>(
    (calls) => this.#store(calls),
    (jobs) => jobs.length,
    1_000,
  );
  readonly #reads = new Batch<string, JobRecord | null>(
    (ids) => this.#read(ids),
    () => 1,
    500,
  );
  #worked: WorkedQueue[] = [];
  #live: Live | undefined = undefined;
  #stopping: Promise<readonly JobRecord[]> | undefined = undefined;

  constructor({ url, prefix = 'thereafter' }: BullmqOptions) {
    this.#url = url;
    this.#prefix = toKeyPart(prefix);
  }

  async start(options: DriverStart): Promise<void> {
    const { log } = options;
    const connections = new Connections(this.#url, log);
    const client = connections.toAsk();
    try {
      await ready(client);
      await checkSettings(client, log);
    } catch (error) {
      await disconnect(client);
      throw error;
    }
    const subscriber = connections.toWork();
    const messages = new Messages(subscriber, this.#prefix, this.#listeners, (queue, id) =>
      this.#workedOf(queue).forEach((worked) => worked.cancel(id)),
    );
    this.#stopping = undefined;
    this.#live = {
      ...options,
      connections,
      client,
      subscriber,
      messages,
      suspects: new SuspectPlace(),
      workClient: undefined,
    };
    if (this.#listeners.size > 0) messages.listenersChanged();
  }

  async enqueue(jobs: readonly NewJob[]): Promise<readonly Stored[]> {
    if (jobs.length > MOST_JOBS) {
      throw new ArgumentError(
        `Cannot store ${jobs.length} jobs at once: Redis takes at most ${MOST_JOBS}, and does nothing ` +
          'else meanwhile. Enqueue them in several calls.',
      );
    }
    await this.#live?.messages.pending;
    return this.#stores.add(jobs);
  }

  async release(jobs: readonly { readonly id: string; readonly queue: string }[]): Promise<void> {
    const places = jobs.flatMap(({ id, queue }) => [toKeyPart(queue), idToKeyPart(id)]);
    await this.#ask(RELEASE, [this.#nowMs(), ...places], 'release jobs');
  }

  work(queue: string, options: WorkOptions, run: RunAttempt): WorkerHandle {
    const live = this.#alive();
    const { clock, log, messages } = live;
    live.workClient ??= live.connections.toWork();
    messages.expectCancellations();
    const worked = new WorkedQueue(
      {
        ...options,
        queue,
        prefix: this.#prefix,
        clock,
        log,
        client: live.workClient,
        waiting: live.connections.toWork(),
        forgetBefore: () => this.#forgetBefore(),
        suspects: live.suspects,
      },
      run,
    );
    this.#worked.push(worked);
    return worked;
  }

  async get(id: string): Promise<JobRecord | null> {
    await this.#alive().messages.pending;
    return this.#reads.add(id);
  }

  async cancel(id: string): Promise<'cancelled' | 'requested' | 'finished' | 'unknown'> {
    const reply = await this.#ask(CANCEL, [idToKeyPart(id), this.#nowMs()], 'cancel a job');
    return reply as 'cancelled' | 'requested' | 'finished' | 'unknown'; // what the script gives
  }

  async retry(id: string): Promise<boolean> {
    return (await this.#ask(RETRY, [idToKeyPart(id), this.#nowMs()], 'retry a job')) === 1;
  }

  async remove(id: string): Promise<boolean> {
    return (await this.#ask(REMOVE, [idToKeyPart(id), this.#nowMs()], 'remove a job')) === 1;
  }

  async counts(queue: string): Promise<Record<JobState, number>> {
    const args = [toKeyPart(queue), this.#nowMs(), ...this.#forgetBefore()];
    const numbers = (await this.#ask(COUNTS, args, 'count jobs')) as number[];
    // The script counts in the order of the table.
    const counts = noCounts();
    for (const [i, state] of JOB_STATES.entries()) counts[state] = numbers[i] ?? 0;
    return counts;
  }

  async queues(): Promise<readonly string[]> {
    const found = (await this.#ask(QUEUES, [], 'list the queues')) as string[];
    return found.map(fromKeyPart).toSorted();
  }

  async list(query: ListQuery): Promise<Page<JobRecord>> {
    const { queue, state = '', task = '', limit } = query;
    if (query.cursor !== undefined && !/^\d{1,15}$/.test(query.cursor)) return { items: [] }; // none of ours
    const filters = [queue === undefined ? '' : toKeyPart(queue), state, task];
    const items: JobRecord[] = [];
    let cursor = query.cursor ?? '+inf';
    do {
      const args = [
        this.#nowMs(),
        ...this.#forgetBefore(),
        ...filters,
        limit - items.length,
        cursor,
      ];
      const reply = await this.#ask(LIST, args, 'list jobs');
      const [page, next] = reply as [[string, string, Fields][], number];
      for (const [where, id, fields] of page) items.push(toRecord(where, id, fields));
      cursor = next === 0 ? '' : String(next);
    } while (cursor !== '' && items.length < limit);
    return cursor === '' ? { items } : { items, cursor };
  }

  async setProgress({ id, queue }: JobRecord, fraction: number): Promise<void> {
    for (const worked of this.#workedOf(queue)) {
      const token = worked.tokenOf(id);
      if (token === undefined) continue;
      const args = [toKeyPart(queue), idToKeyPart(id), token, fraction];
      await this.#ask(PROGRESS, args, 'store the progress of a job');
      return;
    }
  }

  async pause(queue: string): Promise<void> {
    await this.#ask(PAUSE, [toKeyPart(queue)], 'pause a queue');
  }

  async resume(queue: string): Promise<void> {
    await this.#ask(RESUME, [toKeyPart(queue)], 'resume a queue');
  }

  async isPaused(queue: string): Promise<boolean> {
    return (await this.#ask(IS_PAUSED, [toKeyPart(queue)], 'look at a queue')) === 1;
  }

  async putSchedule({ key, cron, timeZone, task, lastTickMs }: Schedule): Promise<void> {
    await this.#ask(
      PUT_SCHEDULE,
      [key, `${cron}\n${timeZone}`, task, lastTickMs],
      'store a schedule',
    );
  }

  async removeSchedule(key: string): Promise<boolean> {
    return (await this.#ask(REMOVE_SCHEDULE, [key], 'remove a schedule')) === 1;
  }

  async schedules(): Promise<readonly Schedule[]> {
    const found = await this.#ask(SCHEDULES, [], 'read the schedules');
    return (found as [string, string, string][]).map(([key, text, lastTick]) => {
      const [cron = '', timeZone = '', ...task] = text.split('\n');
      return { key, cron, timeZone, task: task.join('\n'), lastTickMs: Number(lastTick) };
    });
  }

  async ticked(key: string, tickMs: number): Promise<void> {
    await this.#ask(TICKED, [key, tickMs], 'note the tick of a schedule');
  }

  onEvent(listener: (event: JobEvent) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#live?.messages.listenersChanged();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#live?.messages.listenersChanged();
    };
  }

  stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<readonly JobRecord[]> {
    this.#stopping ??= this.#stop(timeoutMs);
    return this.#stopping;
  }

  async #stop(timeoutMs: number): Promise<readonly JobRecord[]> {
    const live = this.#live;
    if (!live) return [];
    const queues = this.#worked;
    for (const worked of queues) worked.quiet();
    await within(timeoutMs, Promise.all(queues.map((worked) => worked.idle())));
    const handedBack = queues.flatMap((worked) => worked.handBack());
    const isConnected = live.workClient?.status === 'ready';
    await Promise.all(queues.map((worked) => worked.close(isConnected)));
    this.#worked = [];
    this.#live = undefined;
    live.messages.close();
    const clients = [live.client, live.subscriber, live.workClient ?? []].flat();
    await Promise.all(clients.map((client) => disconnect(client)));
    return handedBack;
  }

  async #store(calls: readonly (readonly NewJob[])[]): Promise<readonly (readonly Stored[])[]> {
    const nowMs = this.#nowMs();
    const args: (string | number)[] = [nowMs, nowMs + HOLD_MS];
    const jobs = calls.flat();
    for (const job of jobs) args.push(...toColumns(job));
    let stored: [string, number][];
    try {
      const reply = await this.#ask(ENQUEUE, args, 'store jobs', ANSWER_MS + jobs.length);
      stored = reply as [string, number][]; // what the script gives
    } catch (error) {
      void this.#takeBack(jobs);
      throw error;
    }
    let from = 0;
    return calls.map(({ length }) => {
      from += length;
      return stored
        .slice(from - length, from)
        .map(([id, duplicate]) => ({ id: fromKeyPart(id), duplicate: duplicate === 1 }));
    });
  }

  /**
   * A Redis that hangs does later what nobody waits for any more: a response has said by then that its
   * jobs are not stored. What is asked on the same connection comes after it. Jobs that were not held may
   * have ids that others share, and may run already.
   */
  async #takeBack(jobs: readonly NewJob[]): Promise<void> {
    const held = jobs.filter(({ isHeld }) => isHeld);
    try {
      await Promise.all(held.map(({ id }) => this.remove(id)));
    } catch {
      // The connection is gone: whether Redis has stored them, nobody can tell.
    }
  }

  async #read(ids: readonly string[]): Promise<readonly (JobRecord | null)[]> {
    const parts = ids.map(idToKeyPart);
    const args = [this.#nowMs(), ...this.#forgetBefore(), ...parts];
    const found = (await this.#ask(GET, args, 'read jobs')) as ([string, Fields] | null)[];
    return parts.map((part, i) => {
      const place = found[i];
      return place ? toRecord(place[0], part, place[1]) : null;
    });
  }

  #ask(
    script: Script,
    args: readonly (string | number)[],
    wanted: string,
    answerMs = ANSWER_MS,
  ): Promise<unknown> {
    const { client } = this.#alive();
    if (client.status !== 'ready') {
      const cause = new Error('there is no connection to Redis');
      return Promise.reject(new RedisUnavailableError(wanted, cause));
    }
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        clearTimeout(timer);
        reject(new RedisUnavailableError(wanted, error));
      };
      const timer = setTimeout(() => fail(new Error(`no answer in ${answerMs} ms`)), answerMs);
      run(client, script, this.#prefix, args).then((reply) => {
        clearTimeout(timer);
        resolve(reply);
      }, fail);
    });
  }

  #alive(): Live {
    if (!this.#live) throw new Error('The store of jobs is not started, or has been stopped.');
    return this.#live;
  }

  #nowMs(): number {
    return Math.floor(this.#alive().clock.now());
  }

  /** What ended before these times is forgotten. */
  #forgetBefore(): readonly number[] {
    const { clock, keepMs } = this.#alive();
    return FINAL_STATES.map((state) => Math.floor(Math.max(clock.now() - keepMs[state], 0)));
  }

  #workedOf(queue: string): readonly WorkedQueue[] {
    return this.#worked.filter((worked) => worked.queue === queue);
  }
}
