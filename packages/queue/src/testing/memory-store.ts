import type { Clock } from '../clock.ts';
import type {
  ErrorInfo,
  JobEvent,
  JobRecord,
  ListQuery,
  NewJob,
  Page,
  Schedule,
  Stored,
} from '../driver.ts';
import { isFinal, MOVES, noCounts, type JobState } from '../states.ts';

/** A job in memory. Its state is changed by `MemoryStore.move()` alone. */
export interface Row {
  readonly job: NewJob;
  readonly enqueuedAtMs: number;
  state: JobState;
  result: string | null;
  errors: readonly ErrorInfo[];
  attempt: number;
  crashes: number;
  progress: number;
  runAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  isHeld: boolean;
  /** Grows with each claim, so that a late verdict is told from that of the running attempt. */
  claims: number;
  /** Grows each time that it becomes available. */
  turn: number;
  cancelTimer: (() => void) | undefined;
}

/** Rows in the order in which they became available; those that no longer are, are passed over. */
class Line {
  #entries: { readonly row: Row; readonly turn: number }[] = [];
  #head = 0;

  add(row: Row): void {
    row.turn += 1;
    this.#entries.push({ row, turn: row.turn });
  }

  first(): Row | undefined {
    for (let entry; (entry = this.#entries[this.#head]); this.#head++) {
      if (entry.row.state === 'available' && entry.row.turn === entry.turn) return entry.row;
    }
    this.#entries = [];
    this.#head = 0;
    return undefined;
  }
}

/**
 * What drivers in memory keep their jobs in: `memory({ store })`. Several drivers may share one, each
 * standing for a process of its own; one that is started later finds what earlier ones left. Its members
 * are for the drivers.
 */
export class MemoryStore {
  readonly rows: Map<string, Row> = new Map();
  readonly paused: Set<string> = new Set();
  readonly schedules: Map<string, Schedule> = new Map();
  readonly listeners: Set<(event: JobEvent) => void> = new Set();
  /** Called when a job of the queue has become available. */
  readonly wakers: Set<(queue: string) => void> = new Set();
  /** Called when a running job is to stop, whichever driver runs it. */
  readonly cancellers: Set<(id: string) => void> = new Set();
  /** Of each queue, by priority, in the order in which they became available. */
  readonly #available = new Map<string, readonly Line[]>();
  readonly #unique = new Map<string, Row>();
  readonly #uniqueUntil = new Map<string, { readonly id: string; readonly untilMs: number }>();
  #clock: Clock | undefined = undefined;
  #users = 0;

  /** A driver starts: from now on what is due becomes available. */
  open(clock: Clock): void {
    this.#clock = clock;
    this.#users += 1;
    if (this.#users > 1) return;
    for (const row of this.rows.values()) if (row.state === 'scheduled') this.#arm(row);
  }

  /** A driver stops; with the last one, so do the timers. */
  close(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    for (const row of this.rows.values()) row.cancelTimer?.();
  }

  /** Stores a job, unless it is a duplicate. */
  add(job: NewJob, nowMs: number): Stored {
    const id = this.#duplicateOf(job, nowMs);
    if (id !== undefined) return { id, duplicate: true };
    const isHeld = job.isHeld === true;
    const row: Row = {
      job,
      enqueuedAtMs: nowMs,
      state: isHeld || job.runAtMs > nowMs ? 'scheduled' : 'available',
      result: null,
      errors: [],
      attempt: 0,
      crashes: 0,
      progress: 0,
      runAtMs: job.runAtMs,
      startedAtMs: null,
      finishedAtMs: null,
      isHeld,
      claims: 0,
      turn: 0,
      cancelTimer: undefined,
    };
    this.rows.set(job.id, row);
    if (job.uniqueKey !== undefined) {
      this.#unique.set(job.uniqueKey, row);
      if (job.uniqueUntilMs !== undefined) {
        this.#uniqueUntil.set(job.uniqueKey, { id: job.id, untilMs: job.uniqueUntilMs });
      }
    }
    this.#enter(row);
    this.#emit('stored', row);
    return { id: job.id, duplicate: false };
  }

  #duplicateOf({ id, uniqueKey }: NewJob, nowMs: number): string | undefined {
    if (this.rows.has(id)) return id;
    if (uniqueKey === undefined) return undefined;
    const owner = this.#unique.get(uniqueKey);
    if (owner) return owner.job.id;
    const period = this.#uniqueUntil.get(uniqueKey);
    return period && period.untilMs > nowMs && this.rows.has(period.id) ? period.id : undefined;
  }

  /** Makes a job available again that has ended; false for every other, and when its key is taken. */
  retry(row: Row, nowMs: number): boolean {
    const { uniqueKey } = row.job;
    const isTaken = uniqueKey !== undefined && this.#unique.has(uniqueKey);
    if (!isFinal(row.state) || isTaken) return false;
    row.attempt = 0;
    row.crashes = 0;
    row.result = null;
    row.progress = 0;
    row.runAtMs = nowMs;
    row.startedAtMs = null;
    row.finishedAtMs = null;
    this.move(row, 'available');
    return true;
  }

  /** @throws {Error} When the table of states has no such move. */
  move(row: Row, state: JobState): void {
    if (!MOVES[row.state].includes(state)) throw new Error(`no move from ${row.state} to ${state}`);
    this.#leave(row);
    const { uniqueKey } = row.job;
    if (uniqueKey !== undefined) {
      if (isFinal(state)) this.#unique.delete(uniqueKey);
      else this.#unique.set(uniqueKey, row);
    }
    row.state = state;
    this.#enter(row);
    this.#emit(state, row);
  }

  remove(row: Row): void {
    this.#leave(row);
    row.turn += 1; // out of its line
    const { uniqueKey, id } = row.job;
    if (uniqueKey !== undefined && this.#unique.get(uniqueKey) === row) {
      this.#unique.delete(uniqueKey);
    }
    this.rows.delete(id);
  }

  counts(queue: string): Record<JobState, number> {
    const counts = noCounts();
    for (const { job, state } of this.rows.values()) if (job.queue === queue) counts[state] += 1;
    return counts;
  }

  list({ queue, state, task, limit, cursor = '0' }: ListQuery): Page<JobRecord> {
    const matching = [...this.rows.values()]
      .filter(
        (row) =>
          (queue === undefined || row.job.queue === queue) &&
          (state === undefined || row.state === state) &&
          (task === undefined || row.job.task === task),
      )
      .toReversed();
    const start = Number(cursor);
    const end = start + limit;
    return {
      items: matching.slice(start, end).map(toRecord),
      cursor: end < matching.length ? String(end) : undefined,
    };
  }

  putSchedule(schedule: Schedule): void {
    const known = this.schedules.get(schedule.key);
    const isSame = known?.cron === schedule.cron && known.timeZone === schedule.timeZone;
    const { lastTickMs } = isSame ? known : schedule;
    this.schedules.set(schedule.key, { ...schedule, lastTickMs });
  }

  ticked(key: string, tickMs: number): void {
    const known = this.schedules.get(key);
    if (known && tickMs > known.lastTickMs)
      this.schedules.set(key, { ...known, lastTickMs: tickMs });
  }

  progressed(row: Row): void {
    this.#emit('progress', row);
  }

  /** The job that runs next in a queue. */
  next(queue: string): Row | undefined {
    for (const line of this.#available.get(queue) ?? []) {
      const row = line.first();
      if (row) return row;
    }
    return undefined;
  }

  #enter(row: Row): void {
    if (row.state === 'scheduled') return this.#arm(row);
    if (row.state !== 'available') return;
    const { queue, priority } = row.job;
    let byPriority = this.#available.get(queue);
    if (!byPriority) {
      byPriority = Array.from({ length: 10 }, () => new Line());
      this.#available.set(queue, byPriority);
    }
    byPriority[priority]!.add(row);
    for (const wake of this.wakers) wake(queue);
  }

  #leave(row: Row): void {
    row.cancelTimer?.();
    row.cancelTimer = undefined;
  }

  #arm(row: Row): void {
    if (row.isHeld || this.#users === 0) return;
    row.cancelTimer = this.#clock?.at(row.runAtMs, () => this.move(row, 'available'));
  }

  /** A held job may run, once it is due. */
  release(row: Row, nowMs: number): void {
    if (!row.isHeld || row.state !== 'scheduled') return;
    row.isHeld = false;
    if (row.runAtMs > nowMs) this.#arm(row);
    else this.move(row, 'available');
  }

  #emit(type: JobEvent['type'], { job }: Row): void {
    if (this.listeners.size === 0) return;
    const event = { type, id: job.id, queue: job.queue };
    for (const listener of this.listeners) listener(event);
  }
}

export function toRecord(row: Row): JobRecord {
  const { job } = row;
  return {
    id: job.id,
    queue: job.queue,
    task: job.task,
    state: row.state,
    payload: job.payload,
    result: row.result,
    errors: row.errors,
    attempt: row.attempt,
    attempts: job.attempts,
    crashes: row.crashes,
    progress: row.progress,
    priority: job.priority,
    enqueuedAtMs: row.enqueuedAtMs,
    runAtMs: row.runAtMs,
    startedAtMs: row.startedAtMs,
    finishedAtMs: row.finishedAtMs,
    uniqueKey: job.uniqueKey ?? null,
    schedule: job.schedule ?? null,
    traceparent: job.traceparent ?? null,
  };
}
