import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sqlite } from '@thereafter/queue/sqlite';
import { testJobs } from '@thereafter/queue/testing';
import { defineTask } from 'thereafter';
import { Type } from 'typebox';
import { codePrintedBy, preload, tempFolder, thrownBy, type Programs } from './programs.ts';

const send = defineTask({ name: 'send', payload: Type.Object({}), durable: true }, () => undefined);

const open = (file: string) => testJobs({ tasks: [send], driver: sqlite({ file }), worker: false });

/** What opening a store says once something has happened to its file. */
async function refusalAfter(harm: (file: string) => unknown): Promise<unknown> {
  await using folder = await tempFolder();
  const file = join(folder.path, 'jobs.db');
  {
    await using t = await open(file);
    await t.jobs.enqueue(send, {});
  }
  await harm(file);
  return await thrownBy(() => open(file));
}

function run(file: string, sql: string): void {
  using database = new DatabaseSync(file);
  database.exec(sql);
}

const STORES_UNTIL_REFUSED = (file: string): string => `
  import { sqlite } from '@thereafter/queue/sqlite';
  import { testJobs } from '@thereafter/queue/testing';
  import { defineTask } from 'thereafter';
  import { Type } from 'typebox';
  const keep = defineTask({ name: 'keep', payload: Type.Any(), durable: true }, () => undefined);
  try {
    const driver = sqlite({ file: ${JSON.stringify(file)} });
    const { jobs } = await testJobs({ tasks: [keep], driver, worker: false });
    for (;;) await jobs.enqueue(keep, 'x'.repeat(100_000));
  } catch (error) {
    console.log((error.cause?.code ?? error.code));
    process.exit();
  }
`;

export const embeddedStore: Programs = {
  async SQLITE_STORE_BUSY() {
    await using folder = await tempFolder();
    const file = join(folder.path, 'jobs.db');
    await using t = await open(file);
    const { id } = await t.jobs.enqueue(send, {});
    using other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    return await thrownBy(() => t.jobs.remove(id));
  },

  async SQLITE_STORE_CLOSED() {
    await using folder = await tempFolder();
    return await thrownBy(() => sqlite({ file: join(folder.path, 'jobs.db') }).get('1'));
  },

  SQLITE_STORE_DAMAGED: () => refusalAfter((file) => writeFile(file, 'no database\n'.repeat(500))),

  async SQLITE_STORE_FAILED() {
    await using folder = await tempFolder();
    // The system refuses to let the file grow beyond 1 MiB.
    const limited = ['/bin/sh', '-c', 'ulimit -f 2048; exec "$0" "$@"', process.execPath];
    return await codePrintedBy(STORES_UNTIL_REFUSED(join(folder.path, 'jobs.db')), [], limited);
  },

  SQLITE_STORE_FILE: () => thrownBy(() => sqlite({ file: ':memory:' })),

  async SQLITE_STORE_FULL() {
    await using folder = await tempFolder();
    return await codePrintedBy(STORES_UNTIL_REFUSED(join(folder.path, 'jobs.db')), [
      // What SQLite says of a file that may not grow is what it says of a full disk.
      preload(`
        import { syncBuiltinESMExports } from 'node:module';
        const sqlite = process.getBuiltinModule('node:sqlite');
        sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
          constructor(...args) {
            super(...args);
            this.exec('PRAGMA max_page_count = 100');
          }
        };
        syncBuiltinESMExports();
      `),
    ]);
  },

  SQLITE_STORE_NEWER: () => refusalAfter((file) => run(file, 'PRAGMA user_version = 1000')),

  async SQLITE_STORE_NODE() {
    await using folder = await tempFolder();
    return await codePrintedBy(STORES_UNTIL_REFUSED(join(folder.path, 'jobs.db')), [
      preload(`
        const versions = { ...process.versions, node: '22.19.0' };
        Object.defineProperty(process, 'versions', { value: versions });
      `),
    ]);
  },
};
