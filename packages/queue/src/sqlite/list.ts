import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JobDriver, JobRecord, Page } from '../driver.ts';
import { RECORD_COLUMNS, toJobRow, toRecord, type JobRow } from './record.ts';
import type { SqlValue } from './sql.ts';
import type { OpenStore } from './store.ts';

type Query = Parameters<NonNullable<JobDriver['list']>>[0];

/** How many jobs are looked through before the event loop has its turn. */
const CHUNK = 2_000;

/** The jobs that a query is about, newest first; a cursor is the number of the last job it showed. */
export async function listJobs(store: OpenStore, query: Query): Promise<Page<JobRecord>> {
  const found: JobRow[] = [];
  let belowSeq = query.cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(query.cursor);
  if (!Number.isSafeInteger(belowSeq)) return { items: [] };
  // One more than wanted tells whether there is a next page.
  while (found.length <= query.limit) {
    const chunk = await store.commit.read(() =>
      lookThrough(store, query, belowSeq, query.limit + 1 - found.length),
    );
    found.push(...chunk.rows);
    if (chunk.lowestSeq === undefined) break;
    belowSeq = chunk.lowestSeq;
    await nextTurn();
  }
  const items = found.slice(0, query.limit);
  const cursor = found.length > query.limit ? items.at(-1)?.seq : undefined;
  return { items: items.map(toRecord), cursor: cursor === undefined ? undefined : String(cursor) };
}

interface Chunk {
  readonly rows: readonly JobRow[];
  /** Undefined when nothing lies below. */
  readonly lowestSeq: number | undefined;
}

function lookThrough({ sql }: OpenStore, query: Query, belowSeq: number, wanted: number): Chunk {
  const lowest = sql.get(
    'SELECT min(seq) AS seq FROM (SELECT seq FROM jobs WHERE seq < ? ORDER BY seq DESC LIMIT ?)',
    belowSeq,
    CHUNK,
  )?.seq;
  if (typeof lowest !== 'number') return { rows: [], lowestSeq: undefined };
  const conditions = ['seq < ?', 'seq >= ?'];
  const values: SqlValue[] = [belowSeq, lowest];
  for (const column of ['queue', 'state', 'task'] as const) {
    const value = query[column];
    if (value === undefined) continue;
    conditions.push(`+${column} = ?`); // the plus: no index but that of seq
    values.push(value);
  }
  const rows = sql.all(
    `SELECT ${RECORD_COLUMNS} FROM jobs WHERE ${conditions.join(' AND ')} ORDER BY seq DESC LIMIT ?`,
    ...values,
    wanted,
  );
  return { rows: rows.map(toJobRow), lowestSeq: lowest };
}
