import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { defineQueue, defineWorker, type Connection } from 'plainjob';
import { contest, type Payload } from './contest.ts';

const QUIET = {
  error: console.error,
  warn: console.error,
  info: () => undefined,
  debug: () => undefined,
};

contest({
  async open(store, run) {
    const queue = defineQueue({
      connection: connect(`${process.env['FOLDER']}/${store}.db`),
      logger: QUIET,
    });
    const worker =
      run &&
      defineWorker('noop', ({ data }) => run(JSON.parse(data) as Payload), {
        queue,
        logger: QUIET,
      });
    void worker?.start();
    return {
      enqueue: async (payload) => queue.add('noop', payload),
      enqueueMany: async (payloads) => queue.addMany('noop', [...payloads]),
      async close() {
        await worker?.stop();
        queue.close();
      },
    };
  },
});

/** It asks for better-sqlite3, a native module; Node's own SQLite has what it uses of that. */
function connect(filename: string): Connection {
  const database = new DatabaseSync(filename);
  const prepare = (sql: string) => {
    const statement = database.prepare(sql);
    const values = (params: unknown[]) => params as SQLInputValue[];
    return {
      run: (...params: unknown[]) => {
        const { changes, lastInsertRowid } = statement.run(...values(params));
        return { changes: Number(changes), lastInsertRowid };
      },
      get: (...params: unknown[]) => statement.get(...values(params)),
      all: (...params: unknown[]) => statement.all(...values(params)),
    };
  };
  const inTransaction =
    (begin: string, run: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      database.exec(begin);
      try {
        const result = run(...args);
        database.exec('COMMIT');
        return result;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    };
  return {
    driver: 'better-sqlite3',
    filename,
    pragma: (text: string) => database.exec(`PRAGMA ${text}`),
    exec: (sql: string) => database.exec(sql),
    prepare,
    transaction: (run: (...args: unknown[]) => unknown) =>
      Object.assign(inTransaction('BEGIN', run), {
        default: inTransaction('BEGIN', run),
        deferred: inTransaction('BEGIN DEFERRED', run),
        immediate: inTransaction('BEGIN IMMEDIATE', run),
        exclusive: inTransaction('BEGIN EXCLUSIVE', run),
      }),
    close: () => database.close(),
  } as unknown as Connection; // its type is that of better-sqlite3's transactions
}
