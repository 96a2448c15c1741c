import type { NewJob } from '../driver.ts';
import type { JobState } from '../states.ts';
import type { Sql } from './sql.ts';
import type { Tally } from './tally.ts';

/** What became of a job that was to be stored. */
export interface Stored {
  /** Of the job that was there before, if it is a duplicate. */
  readonly id: string;
  readonly duplicate: boolean;
  readonly state: JobState;
}

export interface EnqueueContext {
  readonly sql: Sql;
  readonly tally: Tally;
  readonly nowMs: number;
  /** Never smaller than the last one: the order in which jobs become available. */
  readonly readyAtMs: number;
  /** The worker that keeps held jobs back. */
  readonly holder: number;
}

/** Stores one job, unless its id or its unique key is taken. */
export function insertJob(job: NewJob, context: EnqueueContext): Stored {
  const { sql, tally, nowMs, readyAtMs } = context;
  if (job.uniqueKey !== undefined) {
    const taken = findByUniqueKey(job.uniqueKey, context);
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
    job.isHeld === true ? context.holder : null,
    job.uniqueKey ?? null,
    job.uniqueUntilMs ?? null,
    job.schedule?.key ?? null,
    job.schedule?.forMs ?? null,
    job.traceparent ?? null,
  );
  if (inserted === 0) return { id: job.id, duplicate: true, state };
  tally.add(job.queue, state);
  return { id: job.id, duplicate: false, state };
}

function findByUniqueKey(key: string, { sql, nowMs }: EnqueueContext): string | undefined {
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
