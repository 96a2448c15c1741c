import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docs } from './support/page.ts';

const index = readFileSync(join(docs, 'adr/README.md'), 'utf8');
const files = globSync('adr/0*.md', { cwd: docs }).toSorted();

describe('the index of decisions', () => {
  it('lists every decision by its number and its title, in order', () => {
    const rows = [...index.matchAll(/^\| (\d{4}) +\| \[(.+)\]\(\.\/(.+)\) +\|$/gm)];
    expect(rows.map(([, number, title, file]) => [file, `# ${number}: ${title}`])).toEqual(
      files.map((file) => [
        basename(file),
        readFileSync(join(docs, file), 'utf8').split('\n', 1)[0],
      ]),
    );
  });

  it('says of every number whether it is a decision', () => {
    const taken = files.map((file) => basename(file).slice(0, 4));
    const [, gaps = ''] = /^.*Nothing has the numbers (.+?):/m.exec(index) ?? [];
    const all = [...taken, ...gaps.split(/, | and /)].toSorted();
    expect(all).toEqual(all.map((_, i) => String(i + 1).padStart(4, '0')));
  });
});
