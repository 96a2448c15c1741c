import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ThereafterError } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { app } from './errors/app.ts';
import { development } from './errors/development.ts';
import { embeddedStore } from './errors/embedded-store.ts';
import { injection } from './errors/injection.ts';
import { jobCodes } from './errors/jobs.ts';
import { tasks } from './errors/tasks.ts';

const programs = { ...injection, ...app, ...tasks, ...jobCodes, ...embeddedStore, ...development };

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

const CODE = /'([A-Z][A-Z0-9_]+)'/g;
const codesIn = (text: string): string[] => [...text.matchAll(CODE)].map(([, code]) => code!);
const unique = (codes: readonly string[]): string[] => [...new Set(codes)].toSorted();

const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).map(read);

/** `code = 'X'`, `code: 'X' | 'Y'`, and the unions `type …Code = 'X' | 'Y'`. */
const DECLARATIONS = [
  /\bcode(?: =|', \{ value:) '\w+'/g,
  /\bcode(?:\(\))?:(?: \|)? '[^;{]+[;{]/g,
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

  it('are those of programs here, which get them to see', () => {
    expect(Object.keys(programs).toSorted()).toEqual(documented.toSorted());
  });
});

describe.for(Object.entries(programs))('%s', ([code, program]) => {
  it('reaches who uses the API', async () => {
    const error = await program();
    expect(error).toMatchObject({ code });
    // What a process of its own prints is no more than the code.
    expect(!(error instanceof Error) || error instanceof ThereafterError).toBe(true);
  });
});

describe('the errors of the packages', () => {
  const code = globSync('packages/*/src/**/*.ts', { cwd: root }).map(
    (file) => [file, read(file)] as const,
  );

  it('are all ThereafterErrors', () => {
    const BASED_ON_NODES =
      /^(?:export )?(?:abstract )?class (\w+) extends (?:Type|Range|Syntax|Reference|Aggregate)?Error\b/gm;
    const classes = code.flatMap(([, source]) =>
      [...source.matchAll(BASED_ON_NODES)].map(([, name]) => name),
    );
    // The second is one too, and a TypeError besides: packages/di/test/errors.test.ts holds it to that.
    expect(classes).toEqual(['ThereafterError', 'ArgumentError']);
  });

  it('have a code where an argument, a range or the syntax is at fault', () => {
    const thrown = code.flatMap(([file, source]) =>
      [...source.matchAll(/throw new (?:Type|Range|Syntax|Aggregate)Error\(/g)].map(() => file),
    );
    expect(thrown).toEqual([]);
  });
});
