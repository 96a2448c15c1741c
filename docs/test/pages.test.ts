import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocksOf, docs } from './support/page.ts';
import { differencesIn } from './support/reader.ts';

const pages = globSync('{tutorial,coming-from}/*.md', { cwd: docs }).toSorted();

// That the listings are the files that they name is checked by scripts/test/guides.test.ts.
describe.for(pages)('%s', (page) => {
  it('names a file for each listing', () => {
    const nameless = blocksOf(page).filter(({ file, language }) => language === 'ts' && !file);
    expect(nameless).toEqual([]);
  });

  it('shows what its commands print', async () => {
    expect(await differencesIn(page)).toEqual([]);
  });
});

describe('the listings', () => {
  it('are shown by a page each', () => {
    const shown = pages.flatMap(blocksOf).map(({ file }) => file);
    // Those of guides and references have tests of their own: fragments.test.ts.
    const files = globSync('docs/listings/!(guides|reference)/*', { cwd: join(docs, '..') }).filter(
      (file) => !file.endsWith('/dist'),
    );
    expect(files.length).toBeGreaterThan(20);
    expect(files.filter((file) => !shown.includes(file))).toEqual([]);
  });
});
