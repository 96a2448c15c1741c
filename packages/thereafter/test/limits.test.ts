import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../src/limits.ts';

interface Row {
  readonly limit: string;
  readonly value: string;
  readonly file: string;
  readonly test: string;
}

const here = import.meta.dirname;
const page = readFileSync(join(here, '../../../docs/reference/limits.md'), 'utf8');

const ROW = /^\| (.+?) +\| (.+?) +\| .+? +\| `(\S+)`: (.+?) +\|$/gm;
const rows = [...page.matchAll(ROW)].map(
  ([, limit, value, file, test]) => ({ limit, value, file, test }) as Row,
);
const options = rows.filter(({ limit }) => limit.startsWith('`'));

const { multipart, ...others } = DEFAULT_LIMITS;
const inCode = [
  ...Object.entries(others),
  ...Object.entries(multipart).map(([name, value]) => [`multipart.${name}`, value] as const),
];

function shown(name: string, value: string | number | boolean): string {
  if (typeof value !== 'number') return String(value);
  if (!name.endsWith('Bytes')) return value.toLocaleString('en');
  const kib = value / 1024;
  return kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`;
}

describe('docs/reference/limits.md', () => {
  it('has every limit with its default, and no other', () => {
    const onPage = options.map(({ limit, value }) => [limit.slice(1, -1), value]);
    const expected = inCode.map(([name, value]) => [name, shown(name, value)]);
    expect(onPage).toHaveLength(expected.length);
    expect(Object.fromEntries(onPage)).toEqual(Object.fromEntries(expected));
  });

  it.each(rows)('names the test that holds $limit', ({ file, test }) => {
    expect(readFileSync(join(here, file), 'utf8')).toContain(`'${test}'`);
  });
});
