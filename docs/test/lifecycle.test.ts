import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docs } from './support/page.ts';

const root = join(docs, '..');

it.each(['docs/lifecycle.md', 'CONTRIBUTING.md', 'README.md'])(
  '%s names only files that there are',
  (page) => {
    const text = readFileSync(join(root, page), 'utf8');
    const paths = text.matchAll(/[`(]((?:packages|apps|docs|scripts)\/[\w./-]+)[`)]/g);
    const named = [...paths].map(([, file]) => file!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  },
);

describe('the map of the lifecycle', () => {
  const map = readFileSync(join(docs, 'lifecycle.md'), 'utf8');

  it('answers each question with a function or class that its file has', () => {
    const rows = [...map.matchAll(/^\| .+\? +\| `(\w+)(?:\(\))?` +\| `([\w./-]+)` +\|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(10);
    const missing = rows.filter(([, name, file]) => {
      const code = readFileSync(join(root, file!), 'utf8');
      return !new RegExp(
        `^export (?:async )?(?:function|class) ${name}\\b|^function ${name}\\b`,
        'm',
      ).test(code);
    });
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  it('names the states of an exchange', () => {
    const code = readFileSync(join(root, 'packages/thereafter/src/exchange.ts'), 'utf8');
    const [, union = ''] = /^export type ExchangeState = (.+);$/m.exec(code) ?? [];
    const states = [...union.matchAll(/'(\w+)'/g)].map(([, state]) => state!);
    const rows = [...map.matchAll(/^\| `(\w+)` +\| /gm)].map(([, state]) => state!);
    expect(rows).toEqual(states);
  });
});
