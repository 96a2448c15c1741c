import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ErrorInfo, JobRecord, ListQuery, NewJob, Page, Stored } from '../driver.ts';
import { FINAL_STATES, type JobState } from '../states.ts';
import type { OpenStore } from './open.ts';
import type { Row, Sql, SqlValue } from './sql.ts';

/** How many jobs a listing looks through before the event loop has its turn. */
const CHUNK = 2_000;

/** The columns that `toRecord` needs, and the key of the row. */
export const RECORD_COLUMNS = `seq, id, queue, task, state, payload, result, errors, attempt, attempts,
  crashes, progress, priority, enqueued_at, run_at, ready_at, started_at, finished_at, unique_key, schedule,
  schedule_for, traceparent`;

/** The condition of the index of jobs that have ended: SQLite takes it for no other. */
export const IS_FINAL: string = `state IN (${FINAL_STATES.map((state) => `'${state}'`).join(', ')})`;

/** A row as `RECORD_COLUMNS` selects it. The table is STRICT and its states are checked: this holds. */
export interface JobRow {
  readonly seq: number;
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly payload: string;
  readonly result: string | null;
  readonly errors: string | null;
  readonly attempt: number;
  readonly attempts: number;
  readonly crashes: number;
  readonly progress: number;
  readonly priority: number;
  readonly enqueued_at: number;
  readonly run_at: number;
  readonly ready_at: number;
  readonly started_at: number | null;
  readonly finished_at: number | null;
  readonly unique_key: string | null;
  readonly schedule: string | null;
  readonly schedule_for: number | null;
  readonly traceparent: string | null;
}

export function toJobRow(row: Row): JobRow {
  return row as unknown as JobRow; // see JobRow
}

const NO_ERRORS: readonly ErrorInfo[] = [];

function toErrors(json: string | null): readonly ErrorInfo[] {
  return json === null ? NO_ERRORS : (JSON.parse(json) as ErrorInfo[]); // written by moves.ts alone
}

export function toRecord(row: JobRow): JobRecord {
  return {
    id: row.id,
    queue: row.queue,
    task: row.task,
    state: row.state,
    payload: row.payload,
    result: row.result,
    errors: toErrors(row.errors),
    attempt: row.attempt,
    attempts: row.attempts,
    crashes: row.crashes,
    progress: row.progress,
    priority: row.priority,
    enqueuedAtMs: row.enqueued_at,
    runAtMs: row.run_at,
    startedAtMs: row.started_at,
    finishedAtMs: row.finished_at,
    uniqueKey: row.unique_key,
    schedule:
      row.schedule === null || row.schedule_for === null
        ? null
        : { key: row.schedule, forMs: row.schedule_for },
    traceparent: row.traceparent,
  };
}

/** What became of a job that was to be stored, and the state in which it is now. */
export interface Inserted extends Stored {
  readonly state: JobState;
}

/**
 * Stores one job, unless its id or its unique key is taken. To be called inside a transaction.
 *
 * @param readyAtMs - Its place in the queue, if it is available at once.
 */
export function insertJob(
  { sql, commit, presence }: OpenStore,
  job: NewJob,
  nowMs: number,
  readyAtMs: number,
): Inserted {
  if (job.uniqueKey !== undefined) {
    const taken = findByUniqueKey(sql, job.uniqueKey, nowMs);
    if (taken !== undefined) return { id: taken, duplicate: true, state: 'scheduled' };
  }
  const isDue = job.runAtMs <= nowMs;
  const state = isDue && job.isHeld !== true ? 'available' : 'scheduled';
  const inserted = sql.run(
    `INSERT INTO jobs (id, queue, task, state, payload, priority, attempts, enqueued_at, run_at, ready_at,
       holder, unique_key, unique_until, schedule, schedule_for, traceparent)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO NOTHING`,
    job.id,
    job.queue,
    job.task,
    state,
    job.payload,
    job.priority,
    job.attempts,
    nowMs,
    job.runAtMs,
    isDue ? readyAtMs : job.runAtMs,
    job.isHeld === true ? presence.id : null,
    job.uniqueKey ?? null,
    job.uniqueUntilMs ?? null,
    job.schedule?.key ?? null,
    job.schedule?.forMs ?? null,
    job.traceparent ?? null,
  );
  if (inserted === 0) return { id: job.id, duplicate: true, state };
  commit.tally.add(job.queue, state);
  return { id: job.id, duplicate: false, state };
}

function findByUniqueKey(sql: Sql, key: string, nowMs: number): string | undefined {
  const row =
    sql.get(
      `SELECT id FROM jobs INDEXED BY jobs_unique
       WHERE unique_key = ? AND state IN ('scheduled', 'available', 'running')`,
      key,
    ) ??
    sql.get(
      `SELECT id FROM jobs INDEXED BY jobs_unique_until
       WHERE unique_key = ? AND unique_until > ? AND unique_until IS NOT NULL LIMIT 1`,
      key,
      nowMs,
    );
  return row === undefined ? undefined : String(row.id);
}

/** The jobs that a query is about, newest first; a cursor is the number of the last job it showed. */
export async function listJobs(store: OpenStore, query: ListQuery): Promise<Page<JobRecord>> {
  const found: JobRow[] = [];
  let belowSeq = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
  if (!Number.isSafeInteger(belowSeq)) return { items: [] };
  // One more than wanted tells whether there is a next page.
  while (found.length <= query.limit) {
    const chunk = await store.commit.read(() =>
      lookThrough(store, query, belowSeq, query.limit + 1 - found.length),
    );
    found.push(...chunk.rows);
    if (chunk.lowestSeq === undefined) break;
    belowSeq = chunk.lowestSeq;
    await nextTurn();
  }
  const items = found.slice(0, query.limit);
  const cursor = found.length > query.limit ? items.at(-1)?.seq : undefined;
  return { items: items.map(toRecord), cursor: cursor === undefined ? undefined : String(cursor) };
}

interface Chunk {
  readonly rows: readonly JobRow[];
  /** Undefined when nothing lies below. */
  readonly lowestSeq: number | undefined;
}

function lookThrough(
  { sql }: OpenStore,
  query: ListQuery,
  belowSeq: number,
  wanted: number,
): Chunk {
  const lowest = sql.get(
    'SELECT min(seq) AS seq FROM (SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?)',
    belowSeq,
    CHUNK,
  )?.seq;
  if (typeof lowest !== 'number') return { rows: [], lowestSeq: undefined };
  const conditions = ['seq < ?', 'seq >= ?'];
  const values: SqlValue[] = [belowSeq, lowest];
  for (const column of ['queue', 'state', 'task'] as const) {
    const value = query[column];
    if (value === undefined) continue;
    conditions.push(`+${column} = ?`); // the plus: no index but that of seq
    values.push(value);
  }
  const rows = sql.all(
    `SELECT ${RECORD_COLUMNS} FROM jobs WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
    ...values,
    wanted,
  );
  return { rows: rows.map(toJobRow), lowestSeq: lowest };
}

/** Most ended jobs that are read at a time. */
const MAX_ENDED = 1_000;

/** The jobs that ended at a time or later, the oldest first. */
export function listEnded(
  { sql }: OpenStore,
  sinceMs: number,
): readonly { readonly id: string; readonly queue: string; readonly state: JobState }[] {
  const rows = sql.all(
    `SELECT id, queue, state FROM jobs INDEXED BY jobs_ended
     WHERE ${IS_FINAL} AND finished_at >= ? ORDER BY finished_at LIMIT ?`,
    sinceMs,
    MAX_ENDED,
  );
  return rows.map(toJobRow);
}
