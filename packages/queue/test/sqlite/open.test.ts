import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { sqlite } from '../../src/sqlite/index.ts';
import { migrate, MIGRATIONS } from '../../src/sqlite/schema.ts';
import { loadSqlite, Sql } from '../../src/sqlite/sql.ts';
import { newJob, newJobs, open, tempFolder } from './support.ts';

describe('opening a job store', () => {
  it.each([':memory:', ''])('refuses %j, and names memory()', (file) => {
    expect(() => sqlite({ file })).toThrow(
      expect.objectContaining({
        code: 'SQLITE_STORE_FILE',
        message: expect.stringContaining('memory()') as string,
      }),
    );
  });

  it.each(['20.20.0', '22.19.0', '24.14.1'])('refuses Node %s', (version) => {
    expect(() => loadSqlite(version)).toThrow(
      expect.objectContaining({
        code: 'SQLITE_STORE_NODE',
        message: expect.stringContaining(version) as string,
      }),
    );
  });

  it.each(['24.15.0', '25.0.0', process.versions.node])('takes Node %s', (version) => {
    expect(loadSqlite(version).DatabaseSync).toBe(DatabaseSync);
  });

  it('refuses a file that is no database, and leaves it as it is', async () => {
    await using folder = await tempFolder();
    writeFileSync(folder.file, 'no database\n'.repeat(500));
    await expect(open(folder.file)).rejects.toMatchObject({ code: 'SQLITE_STORE_DAMAGED' });
    expect(readFileSync(folder.file, 'utf8')).toBe('no database\n'.repeat(500));
  });

  it('refuses a file whose pages are overwritten', async () => {
    await using folder = await tempFolder();
    {
      await using opened = await open(folder.file);
      await opened.driver.enqueue(newJobs(500));
    }
    const bytes = readFileSync(folder.file);
    bytes.fill(0x5a, 4_096, bytes.length - 4_096);
    writeFileSync(folder.file, bytes);
    await expect(open(folder.file)).rejects.toMatchObject({ code: 'SQLITE_STORE_DAMAGED' });
    expect(readFileSync(folder.file).equals(bytes)).toBe(true);
  });

  it('refuses a file that was cut short', async () => {
    await using folder = await tempFolder();
    {
      await using opened = await open(folder.file);
      await opened.driver.enqueue(newJobs(500));
    }
    truncateSync(folder.file, Math.floor(statSync(folder.file).size / 8_192) * 4_096);
    await expect(open(folder.file)).rejects.toMatchObject({ code: 'SQLITE_STORE_DAMAGED' });
  });

  it("refuses another program's database", async () => {
    await using folder = await tempFolder();
    const db = new DatabaseSync(folder.file);
    db.exec('CREATE TABLE notes (text TEXT)');
    db.close();
    await expect(open(folder.file)).rejects.toMatchObject({
      code: 'SQLITE_STORE_DAMAGED',
      message: expect.stringContaining('another program') as string,
    });
  });

  it('refuses a file of a newer version, and leaves it as it is', async () => {
    await using folder = await tempFolder();
    {
      await using opened = await open(folder.file);
      await opened.driver.enqueue([newJob()]);
    }
    const db = new DatabaseSync(folder.file);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    db.close();
    await expect(open(folder.file)).rejects.toMatchObject({
      code: 'SQLITE_STORE_NEWER',
      message: expect.stringContaining(`version ${MIGRATIONS.length + 1}`) as string,
    });
  });

  it('refuses a folder that cannot be made', async () => {
    await using folder = await tempFolder();
    writeFileSync(folder.file, '');
    await expect(open(`${folder.file}/below/jobs.db`)).rejects.toMatchObject({
      code: 'SQLITE_STORE_FILE',
    });
  });

  it.each([
    ['process', 1],
    ['power', 2],
  ] as const)('syncs for durability %s as it should', async (durability, synchronous) => {
    await using folder = await tempFolder();
    const statements: string[] = [];
    await using opened = await open(folder.file, {
      durability,
      onStatement: (text) => void statements.push(text),
    });
    const level = { 1: 'NORMAL', 2: 'FULL' }[synchronous];
    expect(statements.join('\n')).toContain(`PRAGMA synchronous = ${level}`);
    expect(opened.driver.capabilities.has('powerLossDurable')).toBe(durability === 'power');
  });
});

describe('migrate', () => {
  const FIRST = 'CREATE TABLE a (x INTEGER) STRICT; INSERT INTO a VALUES (1)';
  const SECOND = 'ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7';

  it('takes a file of an older version to the newest, with what is in it', () => {
    using db = new DatabaseSync(':memory:');
    const sql = new Sql(db);
    migrate(sql, 'f', [FIRST]);
    migrate(sql, 'f', [FIRST, SECOND]);
    migrate(sql, 'f', [FIRST, SECOND]);
    expect({ ...sql.get('SELECT * FROM a') }).toEqual({ x: 1, y: 7 });
  });

  it('changes nothing when one of the steps fails', () => {
    using db = new DatabaseSync(':memory:');
    const sql = new Sql(db);
    migrate(sql, 'f', [FIRST]);
    expect(() => migrate(sql, 'f', [FIRST, SECOND, 'nonsense'])).toThrow('syntax error');
    expect({ ...sql.get('SELECT * FROM a') }).toEqual({ x: 1 });
    migrate(sql, 'f', [FIRST, SECOND]);
  });
});
