import type { ErrorInfo, JobRecord } from '../driver.ts';
import type { JobState } from '../states.ts';
import type { Row } from './sql.ts';

/** The columns that `toRecord` needs, and the key of the row. */
export const RECORD_COLUMNS = `seq, id, queue, task, state, payload, result, errors, attempt, attempts,
  crashes, progress, priority, enqueued_at, run_at, ready_at, started_at, finished_at, unique_key, schedule,
  schedule_for, traceparent`;

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
  return json === null ? NO_ERRORS : (JSON.parse(json) as ErrorInfo[]); // written by settle.ts alone
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
