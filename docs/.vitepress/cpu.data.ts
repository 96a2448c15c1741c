import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** CPU of a request against `node:http` by hand, as the page of benchmarks has it. */
export interface CpuTable {
  readonly loads: readonly string[];
  readonly rows: readonly { readonly name: string; readonly factors: readonly string[] }[];
}

declare const data: CpuTable;
export { data };

const page = join(import.meta.dirname, '../reference/benchmarks.md');

/** Read when the site is built, so that the home page shows what was measured last. */
export default {
  watch: [page],
  load: (): CpuTable => toCpuTable(readFileSync(page, 'utf8')),
};

/** @throws {Error} When the table is not there. */
export function toCpuTable(markdown: string): CpuTable {
  const [, table] = /^### CPU per request against raw\n\n((?:\|.*\n)+)/m.exec(markdown) ?? [];
  if (table === undefined) throw new Error('benchmarks.md has no table of CPU against raw.');
  const [head = [], , ...rows] = table
    .trim()
    .split('\n')
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return {
    loads: head.slice(1),
    rows: rows.map(([name = '', ...factors]) => ({ name, factors })),
  };
}
