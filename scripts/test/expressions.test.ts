import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { isSafe } from 'redos-detector';
import { describe, expect, it } from 'vitest';

// A regular expression that can split the same text in several ways is busy for seconds with a few
// kilobytes that were made for it. So those that see what a client sends must not.

const root = join(import.meta.dirname, '..', '..');

/** The packages that read requests; the page of the console runs in the browser of who looks at it. */
const SOURCES = ['packages/{thereafter,router}/src/**/*.ts', 'packages/console/src/*.ts'];

/** What is not safe in general, and why it is here. */
const ALLOWED: Readonly<Record<string, string>> = {
  'openapi/describe.ts /\\{[^}]*\\}/g': 'sees paths and names of the program',
  'openapi/describe.ts /\\{(\\w+)\\}/g': 'sees paths and names of the program',
  'openapi/path-template.ts /^(.*)(\\/:[^/()?]+)\\?$/': 'sees paths of the program',
  'openapi/responses.ts /[^A-Za-z0-9]*([A-Za-z0-9]+)[^A-Za-z0-9]*/g': 'sees titles of the program',
  'openapi/schema-writer.ts /"\\$ref":"([^"]*)"/g': 'sees schemas of the program',
  'handler/validator.ts /\\[[^\\]]*\\]/g': 'sees patterns of the program',
  'handler/validator.ts /[*+]|\\{\\d*,\\d*\\}/g': 'sees patterns of the program',
  'socket/forwarded.ts /:\\d+$/': 'begins at a colon, which its digits are not',
  'socket/forwarded.ts /^(?:\\[([^\\]]*)\\]|([^:]*))(?::(.*))?$/':
    'begins at the beginning, in two ways at most',
  'response/entity-tag.ts /(?:W\\/)?"[^"]*"/g':
    'begins at a quote, and only the last one has no end',
  'response/packaged-file.ts /^[\\w-]+(?:\\.[\\w-]+)*\\.(\\w+)$/':
    'a dot, which no repeated class has, stands between its parts',
};

interface Expression {
  readonly where: string;
  readonly source: RegExp;
}

function expressionsIn(file: string): Expression[] {
  const found: Expression[] = [];
  const { program } = parseSync(file, readFileSync(join(root, file), 'utf8'));
  new Visitor({
    Literal(node) {
      if (!('regex' in node)) return;
      const { pattern, flags } = node.regex;
      const name = file.split('/src/').at(-1)!;
      found.push({ where: `${name} /${pattern}/${flags}`, source: new RegExp(pattern, flags) });
    },
    NewExpression(node) {
      if (node.callee.type !== 'Identifier' || node.callee.name !== 'RegExp') return;
      throw new Error(`${file} makes an expression at run time, which nothing here can look at.`);
    },
  }).visit(program);
  return found;
}

const canBacktrack = ({ source }: Expression): boolean =>
  !isSafe(source, { maxScore: 10, maxSteps: 20_000 }).safe;

describe('the regular expressions of what reads requests', () => {
  const all = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root })).flatMap(expressionsIn);

  it('cannot backtrack, but for those whose reason stands here', () => {
    expect(all.length).toBeGreaterThan(30);
    const unsafe = all.filter(canBacktrack).map(({ where }) => where);
    expect(unsafe.toSorted()).toEqual(Object.keys(ALLOWED).toSorted());
  });

  it.each([/[^/\\]*$/, /^(a+)+$/, /[ \t]*,[ \t]*/, /^a*a*$/])('would be told of %s', (source) => {
    expect(canBacktrack({ where: '', source })).toBe(true);
  });
});
