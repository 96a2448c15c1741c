import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** What lets a test fail on a machine that is only busy, or names it by a list that nobody has. */
const RULES: readonly { readonly pattern: RegExp; readonly instead: string }[] = [
  {
    pattern: /^\s*(?:describe|it|test)[.\w]*\(\s*['"`]\d+: /m,
    instead: 'a sentence without a number before it',
  },
  {
    pattern: /\bturns\(\d*\)|for \(.*\) await new Promise\(setImmediate\)/,
    instead: 'what the test waits for, or what has to be answered meanwhile',
  },
  {
    pattern:
      /^\s*await new Promise(?:<void>)?\(\(\w+\) => setTimeout\(\w+, \d|node:timers\/promises/m,
    instead: 'what the test waits for: an event, a condition in a loop, a manual clock',
  },
  {
    pattern: /\bvi\.wait(?:For|Until)\(|expect\.poll\([^\n]*\{ timeout:/,
    instead: 'expect.poll() without a limit of its own',
  },
  {
    pattern: /^\s*\}, \d+_\d{3}\);$|['"`], \{ timeout: \d/m,
    instead: 'no limit: there is one for all tests, in vitest.config.ts',
  },
  {
    pattern: /expect\([^\n]*(?:\.now\(\) - |elapsed|took|longest|perSecond)[^\n]*\)\.toBeLessThan/i,
    instead: 'the order of what happens; how long something takes is measured in bench/',
  },
];

/** What a source has that it should not, and what to write instead. */
function slipsOf(source: string): string[] {
  return RULES.flatMap(({ pattern, instead }) => {
    const [found] = pattern.exec(source) ?? [];
    return found === undefined ? [] : [`${found.trim()} … write ${instead}`];
  });
}

describe('a test', () => {
  it('says what it tests, and fails on no machine that is only busy', () => {
    const files = globSync(
      [
        '{packages/*,apps/*,docs,scripts}/test/**/*.test.ts',
        '{packages/*,apps/*,docs,scripts}/test/**/support/*.ts',
        'packages/queue-conformance/src/*.ts',
      ],
      { cwd: root, exclude: ['**/node_modules', 'scripts/test/tests.test.ts'] },
    );
    expect(files.length).toBeGreaterThan(100);
    const slips = files.flatMap((file) =>
      slipsOf(readFileSync(join(root, file), 'utf8')).map((slip) => `${file}: ${slip}`),
    );
    expect(slips).toEqual([]);
  });

  it.each([
    "  it('7: goes on after a task that throws', async () => {",
    '    await turns(50);',
    '    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);',
    '    await new Promise((resolve) => setTimeout(resolve, 20));',
    '    await vi.waitFor(() => expect(lines).toHaveLength(1));',
    '    await expect.poll(() => states, { timeout: 10_000 }).toEqual([]);',
    "describe('the guide', { timeout: 60_000 }, () => {",
    '  }, 120_000);',
    '    expect(performance.now() - startMs).toBeLessThan(2_000);',
    '    expect(longestMs).toBeLessThan(100);',
  ])('is not written like this: %s', (line) => {
    expect(slipsOf(`\n${line}\n`)).toHaveLength(1);
  });

  it.each([
    '    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));',
    '    setTimeout(isOver.open, 50);',
    '    expect(event!.atMs).toBeLessThanOrEqual(Date.now());',
    '    expect(performance.now() - startMs).toBeGreaterThan(990);',
  ])('may be written like this: %s', (line) => {
    expect(slipsOf(`\n${line}\n`)).toEqual([]);
  });
});
