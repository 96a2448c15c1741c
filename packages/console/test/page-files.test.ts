import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PAGE_FILES } from '../src/page-files.ts';

const folder = join(import.meta.dirname, '../src/page');

it('are those of the folder; after a change: pnpm --filter @thereafter/console page', () => {
  const files = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);
  expect(PAGE_FILES).toEqual(Object.fromEntries(files));
});
