import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const docs = join(import.meta.dirname, '../..');
export const root = join(docs, '..');

/** All pages of the repository, from its root. Those of the API are made by a build, and not kept. */
export function allPages(): string[] {
  return globSync('{*.md,{docs,packages,apps,bench}/**/*.md}', {
    cwd: root,
    exclude: (name) => /(?:^|\/)(?:node_modules|dist|cache|reference\/api)$/.test(name),
  }).toSorted();
}

/** One code block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The file that the comment above it names, from the root of the repository. */
  readonly file: string | undefined;
  /** The part of the file that it shows: `#name` behind the file. The whole if there is none. */
  readonly region: string | undefined;
}

const BLOCK =
  /^<!-- (\$ [^\n]+) -->$|(?:^<!-- ([^\s#]+)(?:#(\S+))? -->\n\n)?^```([\w-]*)\n(.*?)^```$/gms;

/**
 * The code blocks of a page, in order. A comment that begins with `$` counts as a `console` block: its
 * command is run and not shown.
 */
export function blocksOf(page: string): Block[] {
  const markdown = readFileSync(join(root, page), 'utf8');
  return [...markdown.matchAll(BLOCK)].map(([, unseen, file, region, language = '', text = '']) =>
    unseen === undefined
      ? { file, region, language, text }
      : { file, region, language: 'console', text: unseen },
  );
}

/**
 * What a file holds, or a part of it: the lines between `// #region name` and `// #endregion`, without
 * their common indentation. A part may come in pieces, with a blank line between.
 */
export function listing(file: string, region: string | undefined): string {
  const source = readFileSync(join(root, file), 'utf8');
  if (region === undefined) return source;
  const pieces = source.matchAll(/^( *)\/\/ #region (\S+)\n(.*?)^ *\/\/ #endregion$/gms);
  return [...pieces]
    .filter(([, , name]) => name === region)
    .map(([, indent, , text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .join('\n');
}

/** A command of a `console` block, and what the page shows that it prints. */
export interface Command {
  readonly words: readonly string[];
  readonly shown: string;
}

/** Takes a `console` block apart: lines after a `$` are commands, a backslash goes on, the rest is output. */
export function commandsOf(text: string): Command[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [, line = '', shown = ''] = /^((?:[^\n]*\\\n)*[^\n]*)\n?(.*)$/s.exec(part) ?? [];
      return { words: wordsOf(line.replaceAll('\\\n', ' ')), shown: shown.trimEnd() };
    });
}

/** The words of a shell's command line, as far as pages use it: blanks and single or double quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:[^\s'"]|'[^']*'|"[^"]*")+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"([^"]*)"/g,
      (_, single?: string, double?: string) => single ?? double ?? '',
    ),
  );
}

/**
 * Whether this is what the page shows. `…` stands for any text of a line, and alone on a line for any
 * lines; JSON may be shown with line breaks.
 */
export function isAsShown(actual: string, shown: string): boolean {
  const [given, wanted] = [parse(actual), parse(shown)];
  if (given !== undefined && wanted !== undefined) return isSame(given, wanted);
  const pattern = shown
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${toPattern(line)}\n`))
    .join('');
  return new RegExp(`^${pattern}$`).test(`${actual.trimEnd()}\n`);
}

/** A pattern for a line that a page shows. A time of day and a number of milliseconds stand for any. */
export function toPattern(line: string): string {
  return line
    .trimEnd()
    .split(/…|\d\d:\d\d:\d\d|\d+(?= ms\b)/)
    .map((part) => RegExp.escape(part))
    .join('.*');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSame(given: unknown, wanted: unknown): boolean {
  if (typeof wanted === 'string') {
    return typeof given === 'string' && new RegExp(`^${toPattern(wanted)}$`, 's').test(given);
  }
  if (typeof wanted !== 'object' || wanted === null) return given === wanted;
  if (typeof given !== 'object' || given === null) return false;
  if (Array.isArray(given) !== Array.isArray(wanted)) return false;
  const names = Object.keys(wanted);
  return (
    names.length === Object.keys(given).length &&
    names.every((name) =>
      isSame((given as Record<string, unknown>)[name], (wanted as Record<string, unknown>)[name]),
    )
  );
}
