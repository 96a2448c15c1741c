import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('the README', () => {
  it('shows the quickstart as it is', () => {
    const [, listing] = /```ts\n(.*?)```/s.exec(readme) ?? [];
    expect(listing).toBe(readFileSync(join(root, 'apps/quickstart/src/main.ts'), 'utf8'));
  });

  it('names commands that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npx --yes pnpm@[\d.]+ ([\w:]+)/g)].map(
      ([, script]) => script,
    );
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'quickstart']));
    for (const script of named) expect(scripts).toHaveProperty(script!);
  });
});
