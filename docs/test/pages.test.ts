import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { faultOfCommand } from './support/commands.ts';
import { allPages, blocksOf, listing, root, type Block } from './support/page.ts';
import { differencesIn } from './support/reader.ts';

// Every code block of every page is held by something: that is told from its language.

/** A file of the repository, or a part of one. */
const LISTING = ['ts', 'js', 'dockerfile', 'ini', 'nginx'];
/** Commands that are run here, and what they print. */
const SESSION = ['console', 'log'];
/** Commands for the reader's own machine. */
const SHELL = ['sh'];
/** What the reader comes from. */
const FOREIGN = ['python', 'typescript'];
/** Pictures made of letters, and messages; test/site.test.ts looks at the diagram. */
const DRAWING = ['', 'mermaid'];

/** Where listings are: the folder of their page, or programs that are there for themselves. */
const LISTINGS = /^(?:docs\/listings|apps\/\w+\/src|packages\/cli\/templates)\//;

const pages = allPages();
const blocks = new Map(pages.map((page) => [page, blocksOf(page)] as const));
const having = (languages: readonly string[]): string[] =>
  pages.filter((page) => blocks.get(page)!.some(({ language }) => languages.includes(language)));
const blocksIn = (page: string, languages: readonly string[]): Block[] =>
  blocks.get(page)!.filter(({ language }) => languages.includes(language));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the code blocks', () => {
  it('are in languages that something holds to be true', () => {
    const known = [LISTING, SESSION, SHELL, FOREIGN, DRAWING].flat();
    const unknown = pages.filter((page) =>
      blocks.get(page)!.some(({ language }) => !known.includes(language)),
    );
    expect(unknown).toEqual([]);
    expect(having(FOREIGN).filter((page) => !page.startsWith('docs/coming-from/'))).toEqual([]);
  });

  it('are all found', () => {
    const fences = pages.map((page) => [page, read(page).match(/^```/gm)?.length ?? 0]);
    const found = pages.map((page) => {
      const shown = blocks.get(page)!.filter(({ text }) => read(page).includes(`\n${text}\`\`\``));
      return [page, 2 * shown.length];
    });
    expect(found).toEqual(fences);
  });
});

describe.for(having(LISTING))('the listings of %s', (page) => {
  const shown = blocksIn(page, LISTING);

  it('are what their files hold, word for word', () => {
    expect(shown.filter(({ file }) => !LISTINGS.test(file ?? '')).map(({ text }) => text)).toEqual(
      [],
    );
    expect(shown.map(({ file, text }) => ({ file, text }))).toEqual(
      shown.map(({ file, region }) => ({ file, text: listing(file!, region) })),
    );
  });
});

describe('the listings', () => {
  /** The TypeScript that compilations cover, from the root of the repository. */
  const checked = new Set<string>();
  const programs = [...blocks.values()].flat().filter(({ language }) => language === 'ts');

  beforeAll(async () => {
    const configs = new Set(programs.map(({ file }) => configOf(file!)));
    for (const config of configs) {
      const tsc = join(root, 'node_modules/.bin/tsc');
      const { stdout } = await promisify(execFile)(tsc, ['--listFilesOnly', '-p', config]);
      for (const file of stdout.split('\n')) checked.add(relative(root, file));
    }
  });

  it('are part of a compilation, which checks their types', () => {
    expect(programs.length).toBeGreaterThan(100);
    expect(programs.filter(({ file }) => !checked.has(file!)).map(({ file }) => file)).toEqual([]);
  });

  it('are shown by a page each, or used by one that is', () => {
    const files = globSync('docs/listings/**/*', {
      cwd: root,
      exclude: (name) => name.endsWith('dist'),
    }).filter((file) => /\.\w+$|Dockerfile$/.test(file));
    const used = new Set([...blocks.values()].flat().map(({ file }) => file));
    for (const file of files) if (file.endsWith('/main.ts')) used.add(file);
    for (const file of used) {
      if (file === undefined || !file.endsWith('.ts')) continue;
      for (const [, name = ''] of read(file).matchAll(/['"](\.\.?\/[^'"]+)['"]/g)) {
        const target = join(dirname(file), name.replace(/\.js$/, '.ts'));
        for (const other of files) {
          if (other === target || other.startsWith(`${target}/`)) used.add(other);
        }
      }
    }
    expect(files.length).toBeGreaterThan(80);
    expect(files.filter((file) => !used.has(file))).toEqual([]);
  });
});

/** The file that says how a program is compiled: the nearest one above it. */
function configOf(file: string): string {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const config = join(root, folder, 'tsconfig.json');
    if (existsSync(config)) return config;
  }
}

describe.for(having(SHELL))('the commands of %s', (page) => {
  it('can be typed as they stand', () => {
    const lines = blocksIn(page, SHELL).flatMap(({ text }) => text.trimEnd().split('\n'));
    const faults = lines.map((line) => faultOfCommand(page, line)).filter(Boolean);
    expect(faults).toEqual([]);
  });
});

it('commands within the text of a page exist', () => {
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/`(npx --yes pnpm@[\d.]+ [\w:]+)`/g)].map(
      ([, command]) => [page, command!] as const,
    ),
  );
  expect(named.length).toBeGreaterThan(0);
  expect(named.filter(([page, command]) => faultOfCommand(page, command))).toEqual([]);
});

describe.for(having(SESSION))('%s', (page) => {
  it('shows what its commands print', async () => {
    expect(await differencesIn(page)).toEqual([]);
  });
});

describe.for(pages.filter((page) => page.startsWith('docs/zh-Hant/guides/')))('%s', (page) => {
  const original = page.replace('zh-Hant/', '');

  it('has the code of its original, in the same order', () => {
    const order = (name: string) => blocks.get(name)!.map(({ file, region }) => [file, region]);
    expect(order(page)).toEqual(order(original));
  });

  it('has as many sections as its original', () => {
    const count = (name: string) => read(name).match(/^## /gm)?.length;
    expect(count(page)).toBe(count(original));
  });
});
