import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { isBusy, isMissing } from './errors.ts';
import { loadSqlite, type Sql } from './sql.ts';

/*
 * Who is alive. Each process that has the store open locks a small file of its own and writes its number
 * into the table of workers; the operating system takes the lock away when the process ends, however it
 * ends. So another one is dead exactly if its file can be locked, and no clock is asked.
 *
 * Locks are taken, and files removed, while the write lock of the store is held: nobody meets a file
 * between its making and its locking.
 */

/** This process's place among the workers. */
export class Presence {
  readonly id: number = randomInt(1, 2 ** 47); // fits a number; never given twice, unlike a counter
  readonly #file: string;
  #lock: DatabaseSync | undefined = undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** To be called inside a transaction. */
  enter(sql: Sql, nowMs: number): void {
    this.#lock ??= lock(lockFileOf(this.#file, this.id));
    sql.run(
      `INSERT INTO workers (id, pid, started_at, queues) VALUES (?, ?, ?, '[]')`,
      this.id,
      process.pid,
      nowMs,
    );
  }

  /** Says which queues this worker works on. To be called inside a transaction. */
  announce(sql: Sql, queues: readonly string[]): void {
    sql.run('UPDATE workers SET queues = ? WHERE id = ?', JSON.stringify(queues), this.id);
  }

  /** To be called when nothing in the store names this worker any more. */
  leave(): void {
    this.#lock?.close();
    if (this.#lock) remove(lockFileOf(this.#file, this.id));
    this.#lock = undefined;
  }

  /** The workers besides this one that are no more. To be called inside a transaction. */
  findDead(sql: Sql): number[] {
    const others = sql.all('SELECT id FROM workers WHERE id <> ?', this.id);
    return others.map(({ id }) => Number(id)).filter((id) => !isAlive(lockFileOf(this.#file, id)));
  }

  /** Removes the lock files that belong to nobody. To be called inside a transaction. */
  tidy(sql: Sql): void {
    const workers = new Set(sql.all('SELECT id FROM workers').map(({ id }) => Number(id)));
    const prefix = basename(lockFileOf(this.#file, ''));
    for (const name of readdirSync(dirname(this.#file))) {
      const id = Number(name.startsWith(prefix) ? name.slice(prefix.length) : Number.NaN);
      if (!Number.isSafeInteger(id) || id === this.id || workers.has(id)) continue;
      remove(join(dirname(this.#file), name));
    }
  }
}

function lockFileOf(file: string, id: number | ''): string {
  return `${file}-worker-${id}`;
}

function lock(path: string): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const db = new DatabaseSync(path);
  try {
    // The journal in memory, or it would be one more file.
    db.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function isAlive(path: string): boolean {
  const { DatabaseSync } = loadSqlite();
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true }); // does not make the file when it is missing
    db.exec('BEGIN; SELECT * FROM sqlite_schema');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    // One that is there and may not be opened belongs to somebody else, who may live.
    if (isMissing(error)) return existsSync(path);
    throw error;
  } finally {
    db?.close();
  }
}

/** A file that cannot be removed now is removed by the next one who tidies up. */
function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // In use or not ours: it only lies about.
  }
}
