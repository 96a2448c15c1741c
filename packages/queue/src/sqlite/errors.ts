import { ThereafterError } from '@thereafter/di';

/**
 * Why the embedded store cannot do what it was asked.
 *
 * - `SQLITE_STORE_BUSY` another process kept the file locked for too long
 * - `SQLITE_STORE_CLOSED` the store is not open: not started yet, or stopped
 * - `SQLITE_STORE_DAMAGED` the file is not a sound job store
 * - `SQLITE_STORE_FAILED` reading or writing the file failed
 * - `SQLITE_STORE_FILE` the file cannot be opened or written, or is no file
 * - `SQLITE_STORE_FULL` the disk is full
 * - `SQLITE_STORE_NEWER` a newer version wrote the file
 * - `SQLITE_STORE_NODE` this Node is too old
 */
export type SqliteStoreCode =
  | 'SQLITE_STORE_BUSY'
  | 'SQLITE_STORE_CLOSED'
  | 'SQLITE_STORE_DAMAGED'
  | 'SQLITE_STORE_FAILED'
  | 'SQLITE_STORE_FILE'
  | 'SQLITE_STORE_FULL'
  | 'SQLITE_STORE_NEWER'
  | 'SQLITE_STORE_NODE';

const PASSES_BY_ITSELF: ReadonlySet<SqliteStoreCode> = new Set([
  'SQLITE_STORE_BUSY',
  'SQLITE_STORE_FULL',
]);

/** The embedded store cannot do what it was asked. Nothing of the call was stored. */
export class SqliteStoreError extends ThereafterError {
  readonly code: SqliteStoreCode;
  declare readonly retryAfterSeconds?: number;

  constructor(code: SqliteStoreCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    if (PASSES_BY_ITSELF.has(code)) this.retryAfterSeconds = 1;
  }
}

/** The result codes of SQLite that decide what happens next: https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Whether somebody else has the lock just now, so that trying again makes sense. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether the file is not there, or not to be had. */
export function isMissing(error: unknown): boolean {
  return resultCode(error) === CANTOPEN;
}

/** What SQLite said, as an error with a code and a way out. Everything else is returned as it is. */
export function toStoreError(error: unknown, file: string): unknown {
  if (!(error instanceof Error)) return error;
  const options = { cause: error };
  switch (resultCode(error)) {
    case undefined:
      return error;
    case BUSY:
    case LOCKED:
      return new SqliteStoreError(
        'SQLITE_STORE_BUSY',
        `The job store ${file} stayed locked by another process for 5 s. Nothing was stored; try ` +
          'again later. Look for a program that keeps a transaction open on the file.',
        options,
      );
    case FULL:
      return new SqliteStoreError(
        'SQLITE_STORE_FULL',
        `The job store ${file} cannot grow: the disk is full. Nothing was stored. Make room; the store ` +
          'goes on by itself.',
        options,
      );
    case CORRUPT:
    case NOTADB:
      return new SqliteStoreError(
        'SQLITE_STORE_DAMAGED',
        `The job store ${file} is damaged (${error.message}). It was left as it is. Restore a backup, or ` +
          "save what can be read with sqlite3's .recover; to start empty, move the file away.",
        options,
      );
    case READONLY:
    case CANTOPEN:
      return new SqliteStoreError(
        'SQLITE_STORE_FILE',
        `The job store ${file} cannot be opened for writing (${error.message}). Check the path and who may ` +
          'write there: SQLite writes beside the file too.',
        options,
      );
    default:
      return new SqliteStoreError(
        'SQLITE_STORE_FAILED',
        `The job store ${file} failed: ${error.message}. Nothing of the call was stored. Check the disk.`,
        options,
      );
  }
}

/** The primary code, without the details in its upper bits; undefined for what SQLite did not say. */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
