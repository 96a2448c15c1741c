import { withError, type ErrorInfo, type JobRecord, type Verdict } from '../driver.ts';
import { isFinal, type FinalState, type JobState } from '../states.ts';
import type { OpenStore } from './open.ts';
import type { Row } from './sql.ts';

/*
 * What moves a job from one state to another, but for the claim. Each is called inside a transaction, and
 * counts what it moves. The column of the state is checked by SQLite: what is read from it is a state.
 */

/** Which attempt is to be settled: late ones, of a job that has been given to others, match no row. */
export interface Fence {
  readonly seq: number;
  readonly holder: number;
  readonly record: JobRecord;
}

/**
 * Writes down what becomes of a job after an attempt.
 *
 * @returns Its new state; undefined when the verdict came too late.
 */
export function settle(
  store: OpenStore,
  fence: Fence,
  verdict: Verdict,
  nowMs: number,
): JobState | undefined {
  const state = write(store, fence, verdict, nowMs);
  if (state !== undefined) store.commit.tally.move(fence.record.queue, 'running', state);
  return state;
}

function write(
  store: OpenStore,
  fence: Fence,
  verdict: Verdict,
  nowMs: number,
): JobState | undefined {
  const { attempt, errors } = fence.record;
  switch (verdict.type) {
    case 'complete':
      return finish(store, fence, 'completed', nowMs, verdict.result ?? null, null);
    case 'cancel':
      return finish(store, fence, 'cancelled', nowMs, null, null);
    case 'fail':
      return finish(store, fence, 'failed', nowMs, null, toJson(errors, verdict.error));
    case 'retry':
      return putOff(store, fence, {
        attempt,
        errors: toJson(errors, verdict.error),
        delayMs: verdict.delayMs,
        nowMs,
      });
    case 'snooze':
      return putOff(store, fence, {
        attempt: attempt - 1,
        errors: null,
        delayMs: verdict.delayMs,
        nowMs,
      });
  }
}

function toJson(errors: readonly ErrorInfo[], error: ErrorInfo): string {
  return JSON.stringify(withError(errors, error));
}

function finish(
  { sql }: OpenStore,
  { seq, holder, record }: Fence,
  state: FinalState,
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
}

/** It runs again, now or later; not if another process has called it off meanwhile. */
function putOff(
  store: OpenStore,
  { seq, holder, record }: Fence,
  { attempt, errors, delayMs, nowMs }: PutOff,
): JobState | undefined {
  const isDue = delayMs <= 0;
  const row = store.sql.get(
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
    isDue ? store.readyAtMs() : nowMs + delayMs,
    seq,
    holder,
    record.attempt,
  );
  return row?.state as JobState | undefined;
}

/**
 * Lets a job go that this process holds back.
 *
 * @returns When it will be available, in milliseconds since 1970; 0 if it is now. Undefined when there is
 *   nothing to let go.
 */
export function release(
  store: OpenStore,
  { id, queue }: { readonly id: string; readonly queue: string },
): number | undefined {
  const row = store.sql.get(
    `UPDATE jobs SET state = iif(run_at <= ?1, 'available', 'scheduled'),
       ready_at = iif(run_at <= ?1, ?2, run_at), holder = NULL
     WHERE id = ?3 AND state = 'scheduled' AND holder = ?4
     RETURNING state, run_at`,
    store.clock.now(),
    store.readyAtMs(),
    id,
    store.presence.id,
  );
  if (row?.state !== 'available') return row && Number(row.run_at);
  store.commit.tally.move(queue, 'scheduled', 'available');
  return 0;
}

/** A job that was found by its id, and the state in which it was. */
export interface Found {
  readonly seq: number;
  readonly queue: string;
  readonly state: JobState;
}

function find({ sql }: OpenStore, id: string): Found | undefined {
  const row = sql.get('SELECT seq, queue, state FROM jobs WHERE id = ?', id);
  return row && { seq: Number(row.seq), queue: String(row.queue), state: row.state as JobState };
}

/**
 * Calls a job off; one that runs is only marked.
 *
 * @returns The job as it was; undefined when there is none.
 */
export function cancel(store: OpenStore, id: string): Found | undefined {
  const { sql, commit, clock } = store;
  const found = find(store, id);
  if (!found || isFinal(found.state)) return found;
  if (found.state === 'running') {
    sql.run('UPDATE jobs SET cancel_requested = 1 WHERE seq = ?', found.seq);
    return found;
  }
  sql.run(
    `UPDATE jobs SET state = 'cancelled', finished_at = ?, holder = NULL, suspect = 0 WHERE seq = ?`,
    clock.now(),
    found.seq,
  );
  commit.tally.move(found.queue, found.state, 'cancelled');
  return found;
}

/**
 * Makes a job available again that has ended.
 *
 * @returns The job as it was; undefined for every other, and when its unique key is taken.
 */
export function retry(store: OpenStore, id: string): Found | undefined {
  const found = find(store, id);
  if (!found || !isFinal(found.state)) return undefined;
  // OR IGNORE: unless another job has taken its unique key.
  const changed = store.sql.run(
    `UPDATE OR IGNORE jobs SET state = 'available', attempt = 0, crashes = 0, suspect = 0, progress = 0,
       cancel_requested = 0, result = NULL, started_at = NULL, finished_at = NULL, run_at = ?,
       ready_at = ?
     WHERE seq = ?`,
    store.clock.now(),
    store.readyAtMs(),
    found.seq,
  );
  if (changed === 0) return undefined;
  store.commit.tally.move(found.queue, found.state, 'available');
  return found;
}

/** A job that a worker gave back, and what became of it. */
export interface GivenBack {
  readonly id: string;
  readonly queue: string;
  readonly task: string;
  readonly state: JobState;
  readonly wasRunning: boolean;
}

/**
 * Gives back what a worker had: its running jobs become available again, or end when they were called
 * off; what it kept back is free. Nothing names the worker any more.
 *
 * @param isLost - Whether it died: then the attempts count, and the jobs are suspects. Whether one has
 *   crashed too often, the engine decides when it gets it.
 */
export function giveBack(store: OpenStore, worker: number, isLost: boolean): GivenBack[] {
  const { sql, commit, clock } = store;
  const nowMs = clock.now();
  const crash = isLost ? 1 : 0;
  const running = sql.all(
    `UPDATE jobs SET state = iif(cancel_requested, 'cancelled', 'available'),
       finished_at = iif(cancel_requested, ?1, NULL), attempt = attempt - (1 - ?2), crashes = crashes + ?2,
       suspect = max(suspect, ?2), holder = NULL
     WHERE holder = ?3 AND state = 'running' RETURNING id, queue, task, state`,
    nowMs,
    crash,
    worker,
  );
  const held = sql.all(
    `UPDATE jobs SET state = iif(run_at <= ?, 'available', 'scheduled'), holder = NULL
     WHERE holder = ? AND state = 'scheduled' RETURNING id, queue, task, state`,
    nowMs,
    worker,
  );
  sql.run('DELETE FROM workers WHERE id = ?', worker);
  const givenBack = [
    ...running.map((row) => toGivenBack(row, true)),
    ...held.map((row) => toGivenBack(row, false)),
  ];
  for (const { queue, state, wasRunning } of givenBack) {
    commit.tally.move(queue, wasRunning ? 'running' : 'scheduled', state);
  }
  return givenBack;
}

function toGivenBack({ id, queue, task, state }: Row, wasRunning: boolean): GivenBack {
  return {
    id: String(id),
    queue: String(queue),
    task: String(task),
    state: state as JobState,
    wasRunning,
  };
}
