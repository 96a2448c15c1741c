import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lowerUsing } from '../src/lower-using.ts';
import { compile, withInlineMap } from '../src/transform.ts';
import { runNode } from './run-node.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thereafter-using-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const SOURCE = `interface Pool {
  name: string;
}
@((target: { name: string }) => console.log(target.name))
class Opened implements Pool {
  name = 'pool';
  [Symbol.dispose](): void {
    throw new Error('while it closes');
  }
}
using pool: Pool = new Opened();
console.log(pool.name);
export {};
`;

describe('lowerUsing', () => {
  it('leaves code without using as it is', () => {
    const code = withInlineMap(compile('a.ts', 'export const usingNothing: number = 1;'));
    expect(lowerUsing(code)).toBe(code);
  });

  it('keeps decorators, names and the way back to the source', async () => {
    const lowered = lowerUsing(withInlineMap(compile(join(folder, 'main.ts'), SOURCE)));
    expect(lowered).not.toMatch(/^\s*using /m);
    // Decorator helpers come from this package, which the loader knows.
    const file = join(folder, 'main.mjs');
    writeFileSync(file, lowered);
    writeFileSync(join(folder, 'main.ts'), SOURCE);
    const { stdout, stderr } = await runNode(
      '--conditions=thereafter-source',
      '--import',
      '@thereafter/cli/register',
      file,
    );
    expect(stdout).toBe('Opened\npool\n');
    expect(stderr).toMatch(/Error: while it closes\n\s+at .*main\.ts:8:11\)/);
  });
});
