import type { JobState } from '../states.ts';
import type { Row, Sql } from './sql.ts';
import type { Tally } from './tally.ts';

/** A job whose worker is gone, and what became of it. */
export interface Rescued {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly wasRunning: boolean;
}

/**
 * Gives back what a dead worker had: its running jobs become available again, or end when they were
 * called off; what it kept back is free. Whether a job has crashed too often, the engine decides when
 * it gets it. To be called inside a transaction.
 */
export function rescue(sql: Sql, tally: Tally, deadWorker: number, nowMs: number): Rescued[] {
  const rows = sql.all(
    `SELECT seq, id, queue, task, state, cancel_requested
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
  const state = row.cancel_requested === 1 ? 'cancelled' : 'available';
  sql.run(
    `UPDATE jobs SET state = ?, finished_at = ?, crashes = crashes + 1, suspect = 1, holder = NULL
     WHERE seq = ?`,
    state,
    state === 'cancelled' ? nowMs : null,
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

function toRescued(row: Row, state: JobState): Rescued {
  return {
    id: String(row.id),
    queue: String(row.queue),
    task: String(row.task),
    state,
    wasRunning: row.state === 'running',
  };
}
