import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from 'thereafter';
import { expect, it } from 'vitest';

const docs = join(import.meta.dirname, '../../../docs');

it('what the pages of the documentation ask of a context is public', () => {
  const pages = globSync('{guides,tutorial,coming-from,zh-Hant/guides}/*.md', { cwd: docs });
  const names = pages.flatMap((page) =>
    [...readFileSync(join(docs, page), 'utf8').matchAll(/\bctx\.(\w+)/g)].map(([, name]) => name!),
  );
  expect(names.length).toBeGreaterThan(20);
  const known = new Set(Object.getOwnPropertyNames(Context.prototype));
  expect(names.filter((name) => !known.has(name))).toEqual([]);
});
