import { ERROR_HISTORY, type ErrorInfo, type JobRecord, type Outcome } from '../driver.ts';
import type { JobState } from '../states.ts';
import type { Sql } from './sql.ts';

/** Which attempt is to be settled: late ones, of a job that has been given to others, match no row. */
export interface Fence {
  readonly seq: number;
  readonly holder: number;
  readonly record: JobRecord;
}

/**
 * Writes down how an attempt ended.
 *
 * @param readyAtMs - Its place in the queue, should it be available at once.
 * @returns Its new state; undefined when the outcome came too late.
 */
export function settle(
  sql: Sql,
  fence: Fence,
  outcome: Outcome,
  nowMs: number,
  readyAtMs: number,
): JobState | undefined {
  switch (outcome.type) {
    case 'complete':
      return finish(sql, fence, 'completed', nowMs, outcome.result ?? null, null);
    case 'cancel':
      return finish(sql, fence, 'cancelled', nowMs, null, null);
    case 'fail':
      return finish(
        sql,
        fence,
        'failed',
        nowMs,
        null,
        withError(fence.record.errors, outcome.error),
      );
    case 'retry':
      return putOff(sql, fence, {
        attempt: fence.record.attempt,
        errors: withError(fence.record.errors, outcome.error),
        delayMs: outcome.delayMs,
        nowMs,
        readyAtMs,
      });
    case 'snooze':
      return putOff(sql, fence, {
        attempt: fence.record.attempt - 1,
        errors: null,
        delayMs: outcome.delayMs,
        nowMs,
        readyAtMs,
      });
  }
}

/** The JSON of an error history with one more error. */
function withError(errors: readonly ErrorInfo[], error: ErrorInfo): string {
  return JSON.stringify([...errors, error].slice(-ERROR_HISTORY));
}

function finish(
  sql: Sql,
  { seq, holder, record }: Fence,
  state: 'completed' | 'failed' | 'cancelled',
  nowMs: number,
  result: string | null,
  errors: string | null,
): JobState | undefined {
  const changed = sql.run(
    `UPDATE jobs SET state = ?, finished_at = ?, result = ?, errors = ifnull(?, errors), holder = NULL,
       suspect = 0
     WHERE seq = ? AND state = 'running' AND holder = ? AND attempt = ?`,
    state,
    nowMs,
    result,
    errors,
    seq,
    holder,
    record.attempt,
  );
  return changed === 0 ? undefined : state;
}

interface PutOff {
  readonly attempt: number;
  readonly errors: string | null;
  readonly delayMs: number;
  readonly nowMs: number;
  readonly readyAtMs: number;
}

/** It runs again, now or later; not if another process has called it off meanwhile. */
function putOff(
  sql: Sql,
  { seq, holder, record }: Fence,
  { attempt, errors, delayMs, nowMs, readyAtMs }: PutOff,
): JobState | undefined {
  const isDue = delayMs <= 0;
  const row = sql.get(
    `UPDATE jobs SET
       state = iif(cancel_requested, 'cancelled', ?1),
       finished_at = iif(cancel_requested, ?2, NULL),
       attempt = ?3, errors = ifnull(?4, errors), run_at = ?5, ready_at = ?6, holder = NULL, suspect = 0
     WHERE seq = ?7 AND state = 'running' AND holder = ?8 AND attempt = ?9
     RETURNING state`,
    isDue ? 'available' : 'scheduled',
    nowMs,
    attempt,
    errors,
    isDue ? nowMs : nowMs + delayMs,
    isDue ? readyAtMs : nowMs + delayMs,
    seq,
    holder,
    record.attempt,
  );
  return row?.state as JobState | undefined; // the column is checked
}
