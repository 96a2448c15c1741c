import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isBusy, SqliteStoreError, toStoreError } from './errors.ts';
import { retryWhileBusy } from './group-commit.ts';
import type { Durability } from './options.ts';
import { migrate } from './schema.ts';
import { Sql } from './sql.ts';

type Sqlite = typeof import('node:sqlite');

/** The first Node whose SQLite is no experiment, and does not lose a WAL that is reset while read. */
const OLDEST_NODE = [24, 15] as const;
/** How long SQLite itself waits for a lock; the event loop stands still meanwhile. */
const LOCK_WAIT_MS = 2;
const CACHE_KIB = 8_192;
/** Pages of the log after which it is copied into the file; fewer copies, longer ones. */
const CHECKPOINT_PAGES = 4_000;
const MAX_IDLE_LOG_BYTES = 64 * 1024 * 1024;

/**
 * Opens a job store, checks that it is sound, and brings it to the newest version.
 *
 * @throws {SqliteStoreError} Anything but `SQLITE_STORE_CLOSED`.
 */
export async function openStore(
  file: string,
  durability: Durability,
  onStatement?: (text: string) => void,
): Promise<Sql> {
  const { DatabaseSync } = loadSqlite();
  let sql: Sql | undefined;
  try {
    mkdirSync(dirname(file), { recursive: true });
    const opened = new Sql(new DatabaseSync(file, { timeout: LOCK_WAIT_MS }), onStatement);
    sql = opened;
    await retryWhileBusy(() => prepare(opened, file, durability));
    return opened;
  } catch (error) {
    sql?.close();
    throw toOpenError(error, file);
  }
}

/**
 * @returns The module, which an old Node does not have.
 * @throws {SqliteStoreError} `SQLITE_STORE_NODE`.
 */
export function loadSqlite(version: string = process.versions.node): Sqlite {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isOldEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  const sqlite = isOldEnough ? process.getBuiltinModule('node:sqlite') : undefined;
  // One that was built without SQLite lacks the module.
  if (sqlite) return sqlite;
  throw new SqliteStoreError(
    'SQLITE_STORE_NODE',
    `The embedded job store needs Node ${OLDEST_NODE.join('.')} or newer, built with SQLite; this is Node ` +
      `${version}. Run a newer Node, or keep the jobs on Redis with @thereafter/queue-redis.`,
  );
}

function prepare(sql: Sql, file: string, durability: Durability): void {
  sql.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'};
    PRAGMA cache_size = -${CACHE_KIB};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    PRAGMA journal_size_limit = ${MAX_IDLE_LOG_BYTES};
  `);
  const verdict = sql.get('PRAGMA quick_check(1)')?.quick_check;
  if (verdict !== 'ok') {
    throw new SqliteStoreError(
      'SQLITE_STORE_DAMAGED',
      `The job store ${file} is damaged (${String(verdict)}). It was left as it is. Restore a backup, or save ` +
        "what can be read with sqlite3's .recover; to start empty, move the file away.",
    );
  }
  migrate(sql, file);
}

function toOpenError(error: unknown, file: string): unknown {
  if (error instanceof SqliteStoreError || isBusy(error)) return toStoreError(error, file);
  const told = toStoreError(error, file);
  if (told !== error || !(error instanceof Error)) return told;
  // The folder could not be made.
  return new SqliteStoreError(
    'SQLITE_STORE_FILE',
    `The job store ${file} cannot be opened: ${error.message}. Check the path and who may write there.`,
    { cause: error },
  );
}
