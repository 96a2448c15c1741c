import { SqliteStoreError } from './errors.ts';
import type { Sql } from './sql.ts';

/** Written into the file, so that another program's database is not taken for ours: "Thrf". */
const APPLICATION_ID = 0x54687266;

/**
 * What makes a file of version n one of version n + 1. Published ones are never edited: a change of the
 * schema is a new entry at the end.
 */
export const MIGRATIONS: readonly string[] = [
  // 1
  `
  CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY, -- the order of enqueueing
    id TEXT NOT NULL UNIQUE,
    queue TEXT NOT NULL,
    task TEXT NOT NULL,
    state TEXT NOT NULL
      CHECK (state IN ('scheduled', 'available', 'running', 'completed', 'failed', 'cancelled')),
    priority INTEGER NOT NULL,
    payload TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    ready_at INTEGER NOT NULL, -- when it became available: its place among its equals
    -- Of a running job: the worker that runs it. Of a scheduled one: the worker that keeps it back.
    holder INTEGER,
    unique_key TEXT,
    unique_until INTEGER,
    schedule TEXT,
    schedule_for INTEGER,
    traceparent TEXT,
    attempt INTEGER NOT NULL DEFAULT 0,
    crashes INTEGER NOT NULL DEFAULT 0,
    suspect INTEGER NOT NULL DEFAULT 0, -- its worker was lost, and it has not proven harmless since
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    progress REAL NOT NULL DEFAULT 0,
    started_at INTEGER,
    finished_at INTEGER,
    result TEXT,
    errors TEXT -- JSON array; null when empty
  ) STRICT;
  -- Each state has an index of its own, so that what it costs to claim a job does not depend on how
  -- many others are stored.
  CREATE INDEX jobs_available ON jobs (queue, priority, ready_at)
    WHERE state = 'available' AND suspect = 0;
  CREATE INDEX jobs_suspect ON jobs (queue, priority, ready_at)
    WHERE state = 'available' AND suspect = 1;
  CREATE INDEX jobs_scheduled ON jobs (run_at) WHERE state = 'scheduled' AND holder IS NULL;
  CREATE INDEX jobs_holder ON jobs (holder) WHERE holder IS NOT NULL;
  CREATE INDEX jobs_ended ON jobs (state, finished_at)
    WHERE state IN ('completed', 'failed', 'cancelled');
  CREATE UNIQUE INDEX jobs_unique ON jobs (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('scheduled', 'available', 'running');
  CREATE INDEX jobs_unique_until ON jobs (unique_key, unique_until) WHERE unique_until IS NOT NULL;

  -- How many jobs a queue has in a state; written once a transaction, so that nobody need count.
  CREATE TABLE tallies (
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    PRIMARY KEY (queue, state)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE pauses (queue TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE schedules (
    key TEXT PRIMARY KEY,
    cron TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    task TEXT NOT NULL,
    last_tick INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The processes that have the file open. One whose lock file can be locked is dead.
  CREATE TABLE workers (
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    queues TEXT NOT NULL -- JSON array: what it works on
  ) STRICT;
  `,
];

/**
 * Brings a file to the newest version, in one transaction.
 *
 * @throws {SqliteStoreError} `SQLITE_STORE_NEWER` when it is newer than that, `SQLITE_STORE_DAMAGED` when it is
 *   not a job store.
 */
export function migrate(sql: Sql, file: string, migrations: readonly string[] = MIGRATIONS): void {
  if (versionOf(sql, file, migrations.length) === migrations.length) return;
  sql.run('BEGIN IMMEDIATE');
  try {
    // Read again: another process may have been first.
    const version = versionOf(sql, file, migrations.length);
    for (const migration of migrations.slice(version)) sql.exec(migration);
    sql.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    sql.exec(`PRAGMA user_version = ${migrations.length}`);
    sql.run('COMMIT');
  } catch (error) {
    sql.rollback();
    throw error;
  }
}

function versionOf(sql: Sql, file: string, newest: number): number {
  const row = sql.get(
    `SELECT user_version AS version, application_id AS application,
       (SELECT count(*) FROM sqlite_schema) AS objects
     FROM pragma_user_version, pragma_application_id`,
  );
  const version = Number(row?.version);
  const isOurs = row?.application === APPLICATION_ID;
  if (!isOurs && (version !== 0 || row?.objects !== 0)) {
    throw new SqliteStoreError(
      'SQLITE_STORE_DAMAGED',
      `${file} is a database, but not a job store: another program made it. It was left as it is. ` +
        'Give the job store a file of its own.',
    );
  }
  if (version > newest) {
    throw new SqliteStoreError(
      'SQLITE_STORE_NEWER',
      `The job store ${file} has version ${version}, and this release knows versions up to ${newest}. ` +
        'It was left as it is. Run the release that wrote it, or a later one.',
    );
  }
  return version;
}
