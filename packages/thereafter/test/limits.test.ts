import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../src/limits.ts';

it('every limit is named by the guide to inputs', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/guides/inputs.md'), 'utf8');
  const { multipart, checkInterval: _, ...others } = DEFAULT_LIMITS; // how often is no limit
  const names = Object.keys({ ...others, ...multipart });
  expect(names.filter((name) => !guide.includes(`${name}\``))).toEqual([]);
});
