import type { JobDriver } from '../driver.ts';
import type { SqliteOptions } from './open.ts';
import { SqliteDriver } from './sqlite-driver.ts';

export { SqliteStoreError, type SqliteStoreCode } from './errors.ts';
export type { Durability, SqliteOptions } from './open.ts';

/**
 * Keeps jobs in a file, with nothing to install. All processes of the machine may share the file; each
 * finds at once what another lost when it died.
 *
 * Needs Node 24.15 or newer. The file must lie on a local disk.
 *
 * @throws {SqliteStoreError} `SQLITE_STORE_FILE` if `file` is `:memory:` or empty. Starting the driver throws
 *   the others: `SQLITE_STORE_NODE`, `SQLITE_STORE_DAMAGED`, `SQLITE_STORE_NEWER`, …
 */
export function sqlite(options: SqliteOptions): JobDriver {
  return new SqliteDriver(options);
}
