import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A code block and the file that its comment names: `<!-- packages/di/test/listings/report.ts -->`. */
const BLOCK = /<!-- (\S+) -->\n\n```\w+\n([^]*?)```/g;

/** The code blocks of a page that name their files, with what those files hold. */
function listingsOf(page: string): { file: string; shown: string; held: string }[] {
  return [...read(page).matchAll(BLOCK)].map(([, file, shown]) => ({
    file: file!,
    shown: shown!,
    held: read(file!),
  }));
}

/** Guides made of fragments, each compared with the code around it by a test of its own. */
const FRAGMENTS = ['inputs', 'responses', 'testing'].map((name) => `docs/guides/${name}.md`);
const pages = globSync(
  [
    'docs/index.md',
    'docs/{guides,tutorial,coming-from}/*.md',
    'docs/reference/{errors,events}.md',
    'docs/zh-Hant/**/*.md',
  ],
  { cwd: root },
).filter((page) => !FRAGMENTS.includes(page));

describe.for(pages)('%s', (page) => {
  it('shows the listings that tests run, word for word', () => {
    const listings = listingsOf(page);
    expect(listings.length).toBeGreaterThan(0);
    expect(listings.map(({ file, shown }) => ({ file, text: shown }))).toEqual(
      listings.map(({ file, held }) => ({ file, text: held })),
    );
  });
});

const translations = globSync('docs/zh-Hant/guides/*.md', { cwd: root });

describe.for(translations)('%s', (page) => {
  const original = page.replace('zh-Hant/', '');

  it('has the listings of its original, in the same order, and no other code', () => {
    const files = (name: string) => listingsOf(name).map(({ file }) => file);
    expect(files(page)).toEqual(files(original));
    expect(read(page).match(/^```/gm)).toHaveLength(2 * files(page).length);
  });

  it('has as many sections as its original', () => {
    const count = (name: string) => read(name).match(/^## /gm)?.length;
    expect(count(page)).toBe(count(original));
  });
});
