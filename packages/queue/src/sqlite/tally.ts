import { JOB_STATES, type JobState } from '../states.ts';
import type { Sql } from './sql.ts';

/** Counts the moves of jobs during a transaction, and writes the sums down at its end. */
export class Tally {
  readonly #changes = new Map<string, Map<JobState, number>>();

  add(queue: string, state: JobState, jobs = 1): void {
    let states = this.#changes.get(queue);
    if (!states) this.#changes.set(queue, (states = new Map<JobState, number>()));
    states.set(state, (states.get(state) ?? 0) + jobs);
  }

  move(queue: string, from: JobState, to: JobState, jobs = 1): void {
    this.add(queue, from, -jobs);
    this.add(queue, to, jobs);
  }

  /** To be called as the last thing before the commit. */
  write(sql: Sql): void {
    for (const [queue, states] of this.#changes) {
      for (const [state, jobs] of states) {
        if (jobs === 0) continue;
        sql.run(
          `INSERT INTO tallies (queue, state, jobs) VALUES (?, ?, ?)
           ON CONFLICT (queue, state) DO UPDATE SET jobs = jobs + excluded.jobs`,
          queue,
          state,
          jobs,
        );
      }
    }
    this.#changes.clear();
  }

  /** The transaction did not happen. */
  forget(): void {
    this.#changes.clear();
  }
}

/** How many jobs of the queue are in each state. */
export function readTally(sql: Sql, queue: string): Record<JobState, number> {
  const counts = Object.fromEntries(JOB_STATES.map((state) => [state, 0]));
  for (const row of sql.all('SELECT state, jobs FROM tallies WHERE queue = ?', queue)) {
    counts[String(row.state)] = Number(row.jobs);
  }
  return counts as Record<JobState, number>; // made of JOB_STATES
}
