import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sections, sectionsZhHant } from '../pages.ts';
import { linkToSource, sourceLinksOf, sourceOf } from '../sources.ts';
import { docs } from './support/page.ts';

const root = join(docs, '..');
const pages = [...sections(), ...sectionsZhHant()]
  .flatMap(({ pages: all }) => all.map(({ file }) => file))
  .filter((page) => sourceLinksOf(page).length > 0);

/** Whether a file has a test of this name. */
function hasTest(source: string, title: string): boolean {
  return ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}${quote}`));
}

describe('links to files of the repository', () => {
  it('are told from links to pages', () => {
    expect(sourceOf('guides/jobs.md', '../../apps/tour/README.md')).toBe('apps/tour/README.md');
    expect(sourceOf('zh-Hant/guides/jobs.md', '../../test/a.test.ts')).toBe('docs/test/a.test.ts');
    expect(linkToSource('docs/test/a.test.ts')).toBe('/docs/test/a.test.ts.txt');
    const others = ['./jobs.md#schedules', '../adr/0001.md', '#top', '/x', 'https://example.com/x'];
    expect(others.filter((href) => sourceOf('guides/jobs.md', href))).toEqual([]);
  });
});

describe.for(pages)('%s', (page) => {
  const links = sourceLinksOf(page);

  it('links to files that are there', () => {
    expect(links.filter(({ file }) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('names tests by the titles that they have', () => {
    const tests = links.filter(({ file }) => /\/(?:test|conformance)\//.test(file));
    const untrue = tests.filter(
      ({ file, text }) => !hasTest(readFileSync(join(root, file), 'utf8'), text),
    );
    expect(untrue).toEqual([]);
  });
});

describe('the guide to what comes after the response', () => {
  const page = readFileSync(join(docs, 'guides/after-the-response.md'), 'utf8');
  const compared = page.slice(
    page.indexOf('## Side by side'),
    page.indexOf('## What each survives'),
  );
  const [lines = [], proofs = []] = compared
    .split(/^Each line/m)
    .map((table) => table.split('\n').filter((line) => /^\| [a-z]/.test(line)));
  const nameOf = (line: string) => line.split('|')[1]!.trim().replace(' (cron)', '');

  it('has tests for every line of its comparison', () => {
    const held = proofs.filter((line) => nameOf(line) !== 'line');
    expect(lines).toHaveLength(9);
    expect(held.map(nameOf)).toEqual(lines.map(nameOf));
    expect(held.filter((line) => !/\]\(\.\.\//.test(line))).toEqual([]);
  });
});
