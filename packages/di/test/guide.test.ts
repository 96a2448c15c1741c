import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const here = import.meta.dirname;

// That the guide shows this file is checked by scripts/test/guides.test.ts.
it('works alone in a script, as docs/guides/dependency-injection.md says', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      '--conditions=thereafter-source',
      '--import',
      join(here, '../../cli/src/register.ts'),
      join(here, 'listings/report.ts'),
    ],
    { cwd: here },
  );
  expect(stdout.split('\n')).toEqual([
    '0 lines so far',
    '1 lines so far',
    '2027-01-01 imported may.csv',
    '2027-01-01 imported june.csv',
    '2 lines kept',
    '',
  ]);
});
