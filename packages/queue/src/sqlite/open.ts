import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '@thereafter/tasks';
import type { Clock } from '../clock.ts';
import type { JobEvent } from '../driver.ts';
import { isBusy, SqliteStoreError, toStoreError } from './errors.ts';
import { retryWhileBusy, type GroupCommit } from './group-commit.ts';
import type { Presence } from './presence.ts';
import { migrate } from './schema.ts';
import { loadSqlite, Sql } from './sql.ts';

/** Which failures an acknowledged job survives. */
export type Durability = 'process' | 'power';

/** What `sqlite()` takes. */
export interface SqliteOptions {
  /**
   * Where the jobs are kept: a path on a local disk; its folder is made when missing. SQLite and the
   * workers keep files beside it, named after it.
   */
  readonly file: string;
  /**
   * `'process'` (default): what was acknowledged survives the death of every process, `kill -9`
   * included; a power cut or a crash of the operating system may take the last moments with it, never
   * the file. `'power'`: it is on the disk before it is acknowledged, and survives those too.
   */
  readonly durability?: Durability | undefined;
}

/** What the parts of the driver share while the file is open. */
export interface OpenStore {
  readonly sql: Sql;
  readonly commit: GroupCommit;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Logger;
  /** The place of a job that becomes available now: never before one that did so earlier. */
  readyAtMs(): number;
  /** A job waits for that time, and that is committed. */
  scheduled(runAtMs: number): void;
  /** A job is in a new state, and that is committed. */
  moved(job: { readonly id: string; readonly queue: string }, to: JobEvent['type']): void;
}

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
export async function openFile(
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
