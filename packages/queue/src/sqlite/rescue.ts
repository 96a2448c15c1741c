import type { ErrorInfo } from '../driver.ts';
import type { JobState } from '../states.ts';
import { toErrors } from './record.ts';
import { withError } from './settle.ts';
import type { Row, Sql } from './sql.ts';
import type { Tally } from './tally.ts';

/** A job that loses its worker so often is taken for the cause, and not run again. */
const MAX_CRASHES = 3;

/** A job whose worker is gone, and what became of it. */
export interface Rescued {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly wasRunning: boolean;
}

/**
 * Gives back what a dead worker had: its running jobs become available again, or end when they may not
 * run again; what it kept back is free. To be called inside a transaction.
 */
export function rescue(sql: Sql, tally: Tally, deadWorker: number, nowMs: number): Rescued[] {
  const rows = sql.all(
    `SELECT seq, id, queue, task, state, attempt, attempts, crashes, errors, cancel_requested
     FROM jobs INDEXED BY jobs_holder WHERE holder = ?`,
    deadWorker,
  );
  const rescued = rows.map((row) =>
    row.state === 'running' ? rescueRunning(sql, row, nowMs) : free(sql, row, nowMs),
  );
  for (const [index, { queue, state }] of rescued.entries()) {
    tally.move(queue, rows[index]?.state as JobState, state); // the column is checked
  }
  sql.run('DELETE FROM workers WHERE id = ?', deadWorker);
  return rescued;
}

function rescueRunning(sql: Sql, row: Row, nowMs: number): Rescued {
  const attempt = Number(row.attempt);
  const crashes = Number(row.crashes) + 1;
  const isUsedUp = attempt >= Number(row.attempts) || crashes >= MAX_CRASHES;
  const state = row.cancel_requested === 1 ? 'cancelled' : isUsedUp ? 'failed' : 'available';
  sql.run(
    `UPDATE jobs SET state = ?, crashes = ?, suspect = 1, errors = ?, finished_at = ?, holder = NULL
     WHERE seq = ?`,
    state,
    crashes,
    withError(
      toErrors(row.errors === null ? null : String(row.errors)),
      lostWorker(attempt, nowMs),
    ),
    state === 'available' ? null : nowMs,
    Number(row.seq),
  );
  return toRescued(row, state);
}

function free(sql: Sql, row: Row, nowMs: number): Rescued {
  const freed = sql.get(
    `UPDATE jobs SET state = iif(run_at <= ?, 'available', 'scheduled'), holder = NULL WHERE seq = ?
     RETURNING state`,
    nowMs,
    Number(row.seq),
  );
  return toRescued(row, freed?.state as JobState); // the column is checked
}

function lostWorker(attempt: number, nowMs: number): ErrorInfo {
  return {
    name: 'LostWorkerError',
    message: 'lost worker: the process that ran the job ended before the job did.',
    attempt,
    atMs: nowMs,
  };
}

function toRescued(row: Row, state: JobState): Rescued {
  return {
    id: String(row.id),
    queue: String(row.queue),
    task: String(row.task),
    state,
    wasRunning: row.state === 'running',
  };
}
