import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import { SqliteStoreError } from './errors.ts';

/** What may be bound. No object: `node:sqlite` takes one in front for a set of named parameters. */
export type SqlValue = string | number | null;
export type Row = Record<string, SQLOutputValue>;

/** A connection whose statements are prepared once, by their text. */
export class Sql {
  readonly #db: DatabaseSync;
  readonly #onStatement: ((text: string) => void) | undefined;
  readonly #statements = new Map<string, StatementSync>();

  /** @param onStatement - Called before each statement; the statement does not run if it throws. */
  constructor(db: DatabaseSync, onStatement?: (text: string) => void) {
    this.#db = db;
    this.#onStatement = onStatement;
  }

  get isInTransaction(): boolean {
    return this.#db.isTransaction;
  }

  /** @returns How many rows it changed. */
  run(text: string, ...values: SqlValue[]): number {
    return this.#prepared(text).run(...values).changes as number; // no BigInt unless asked for
  }

  get(text: string, ...values: SqlValue[]): Row | undefined {
    return this.#prepared(text).get(...values);
  }

  all(text: string, ...values: SqlValue[]): Row[] {
    return this.#prepared(text).all(...values);
  }

  /** For statements that run once, several at a time too. */
  exec(text: string): void {
    this.#onStatement?.(text);
    this.#db.exec(text);
  }

  /** Ends a transaction without a trace, if one is open: SQLite ends it itself after some errors. */
  rollback(): void {
    if (this.#db.isTransaction) this.run('ROLLBACK');
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #prepared(text: string): StatementSync {
    this.#onStatement?.(text);
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}

type Sqlite = typeof import('node:sqlite');

/** The first Node whose SQLite is no experiment, and does not lose a WAL that is reset while read. */
const OLDEST_NODE = [24, 15] as const;

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
