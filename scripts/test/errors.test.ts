import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const CODE = /'([A-Z][A-Z0-9_]+)'/g;
const codesIn = (text: string): string[] => [...text.matchAll(CODE)].map(([, code]) => code!);
const unique = (codes: readonly string[]): string[] => [...new Set(codes)].toSorted();

const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).map(read);

/** `readonly code = 'X'`, `readonly code: 'X' | 'Y'`, and the unions `type …Code = 'X' | 'Y'`. */
const DECLARATIONS = [
  /readonly code = '\w+'/g,
  /readonly code:(?: \|)? '[^;]+;/g,
  /type \w+Code =[^;]+;/g,
];
const declared = unique(
  sources.flatMap((source) =>
    DECLARATIONS.flatMap((pattern) => [...source.matchAll(pattern)].flatMap(([d]) => codesIn(d))),
  ),
);

/** What the code hands to an error: a code as a literal outside of a union. */
const used = unique(
  sources.flatMap((source) =>
    codesIn(source.replaceAll(DECLARATIONS[1]!, '').replaceAll(DECLARATIONS[2]!, '')).filter(
      (code) => declared.includes(code) || /^TA\d{3}$/.test(code),
    ),
  ),
);

const page = read('docs/reference/errors.md');
const sections = page.split(/^### /m).slice(1);
const documented = sections.map((section) => section.split('\n')[0]!);

describe('the error codes', () => {
  it('are declared, used, and have a section in docs/reference/errors.md each', () => {
    expect(declared).toContain('TA101'); // the patterns above still find what they look for
    expect(declared).toContain('APP_STARTED');
    expect(declared).toContain('LISTEN_FAILED');
    expect({ used, documented: documented.toSorted() }).toEqual({
      used: declared,
      documented: declared,
    });
  });

  it('are documented once each, in the order of their package’s group', () => {
    const groups = page.split(/^## /m).slice(1);
    for (const group of groups) {
      const codes = [...group.matchAll(/^### (\S+)$/gm)].map(([, code]) => code);
      expect(codes).toEqual(unique(codes as string[]));
    }
  });

  it('have no empty section', () => {
    const texts = sections.map((section) =>
      section
        .split(/\n## |\n/)
        .slice(1)
        .join('')
        .trim(),
    );
    expect(texts.filter((text) => text.length < 60)).toEqual([]);
  });

  it('stand in subclasses of ThereafterError', () => {
    const classes = sources.flatMap((source) =>
      [...source.matchAll(/class (\w+) extends (\w+) \{\n {2}readonly code/g)].map(
        ([, name, base]) => [name, base] as const,
      ),
    );
    const foreign = classes.filter(([, base]) => base !== 'ThereafterError');
    // The router may import none of our packages.
    expect(foreign).toEqual([['RouteConflictError', 'Error']]);
  });
});
