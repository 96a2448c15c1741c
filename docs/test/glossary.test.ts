import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');

it('the glossary names only what is declared', () => {
  const page = readFileSync(join(root, 'docs/reference/glossary.md'), 'utf8');
  const rows = [...page.matchAll(/^\|.*\| `(\w+)` in `([\w./-]+)` +\|$/gm)];
  const words = [...page.matchAll(/^\| (?!word|-)/gm)];
  expect(rows.length).toBeGreaterThan(20);
  expect(rows).toHaveLength(words.length);
  const undeclared = rows.filter(([, name, file]) => {
    const code = readFileSync(join(root, file!), 'utf8');
    const kinds = 'class|interface|type|function|const|abstract class';
    return !new RegExp(`^export (?:async )?(?:${kinds}) ${name}\\b`, 'm').test(code);
  });
  expect(undeclared.map(([row]) => row)).toEqual([]);
});
