import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const PROGRAM = join(import.meta.dirname, '..', 'fixtures', 'linear-work.ts');

/** What was read, the work for one size, and that for twice the size. */
type Row = readonly [name: string, once: number, twice: number];

describe('the reading of inputs', () => {
  it('takes twice the work for twice the input, and no more', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--conditions=thereafter-source',
      '--import=@thereafter/cli/register',
      PROGRAM,
    ]);
    const rows = JSON.parse(stdout) as Row[];
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(([, once]) => once === 0)).toEqual([]);
    expect(rows.filter(([, once, twice]) => twice > 2.2 * once + 50)).toEqual([]);
  });
});
