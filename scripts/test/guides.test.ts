import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** A code block and the file that its comment names: `<!-- packages/di/test/listings/report.ts -->`. */
const BLOCK = /(?:<!-- (\S+) -->\n\n)?```ts\n([^]*?)```/g;

/** Guides made of fragments, each compared with the code around it by a test of its own. */
const FRAGMENTS = ['inputs', 'responses', 'testing'].map((name) => `docs/guides/${name}.md`);
const guides = globSync('docs/guides/*.md', { cwd: root }).filter((g) => !FRAGMENTS.includes(g));

describe.for(guides)('%s', (guide) => {
  it('shows the listings that tests run, word for word', () => {
    const blocks = [...read(guide).matchAll(BLOCK)].filter(([, file]) => file !== undefined);
    expect(blocks.length).toBeGreaterThan(0);
    const shown = blocks.map(([, file, text]) => ({ file, text }));
    expect(shown).toEqual(shown.map(({ file }) => ({ file, text: read(file!) })));
  });
});
