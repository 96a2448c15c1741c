import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** One page of the site. */
export interface Page {
  /** Below `docs/`, with its ending: `guides/inputs.md`. */
  readonly file: string;
  /** Its first heading, as text. */
  readonly title: string;
  /** The first sentence between that heading and the next, as text; empty if there is none. */
  readonly summary: string;
}

/** A group of pages, as the side bar and `llms.txt` show them. */
export interface Section {
  readonly title: string;
  readonly pages: readonly Page[];
}

interface Plan {
  readonly title: string;
  /** A pattern of files, below `docs/`. */
  readonly files: string;
  /** Which come first, by their names, if they are there. The others of the pattern follow, sorted. */
  readonly first: readonly string[];
}

const TUTORIAL: Plan = {
  title: 'Tutorial',
  files: 'tutorial/*.md',
  first: [
    'quickstart',
    'controllers',
    'inputs',
    'dependencies',
    'background-tasks',
    'errors',
    'testing',
    'deployment',
  ],
};
const COMING_FROM: Plan = { title: 'Coming from', files: 'coming-from/*.md', first: [] };
const GUIDES: Plan = {
  title: 'Guides',
  files: 'guides/*.md',
  first: [
    'background-tasks',
    'jobs',
    'after-the-response',
    'dependency-injection',
    'inputs',
    'responses',
    'middleware',
    'console',
  ],
};
const REFERENCE: Plan = {
  title: 'Reference',
  files: '{lifecycle,reference/*}.md',
  first: ['lifecycle', 'glossary', 'errors', 'events', 'job-states'],
};
const API: Plan = { title: 'API', files: 'reference/api/*.md', first: ['index', 'thereafter'] };
const DECISIONS: Plan = { title: 'Decisions', files: 'adr/*.md', first: ['README'] };
const GUIDES_ZH: Plan = { ...GUIDES, title: '指南', files: 'zh-Hant/guides/*.md' };

/** All pages in English besides the home page, in reading order. */
export function sections(): Section[] {
  return [TUTORIAL, COMING_FROM, GUIDES, REFERENCE, API, DECISIONS]
    .map(toSection)
    .filter(({ pages }) => pages.length > 0); // those of the API are written by a build
}

/** All pages in Traditional Chinese besides the home page. */
export function sectionsZhHant(): Section[] {
  return [toSection(GUIDES_ZH)];
}

/** Where a page is on the site: `/guides/inputs` for `guides/inputs.md`. */
export function linkTo(file: string): string {
  return `/${file.replace(/(?:index)?\.md$/, '')}`;
}

function toSection({ title, files, first }: Plan): Section {
  const found = globSync(files, { cwd: import.meta.dirname }).map((file) =>
    file.replaceAll('\\', '/'),
  );
  const place = (file: string): number => {
    const index = first.indexOf(posix.basename(file, '.md'));
    return index === -1 ? first.length : index;
  };
  const ordered = found.toSorted().toSorted((a, b) => place(a) - place(b));
  return { title, pages: ordered.map(readPage) };
}

function readPage(file: string): Page {
  const text = readFileSync(join(import.meta.dirname, file), 'utf8').replace(
    /^---\n.*?\n---\n/s,
    '',
  );
  const [, title] = /^# (.+)$/m.exec(text) ?? [];
  if (title === undefined) throw new Error(`docs/${file} has no heading. Begin it with "# Title".`);
  const [opening = ''] = text.slice(text.indexOf(title) + title.length).split(/^#/m);
  const paragraph = opening
    .split(/\n{2,}/)
    .map((part) => part.trim())
    .find((part) => /^[\p{L}`*[]/u.test(part));
  return { file, title: plain(title), summary: firstSentence(plain(paragraph ?? '')) };
}

/** Markdown of one line without its signs. */
function plain(markdown: string): string {
  return markdown
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*]/g, '')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function firstSentence(text: string): string {
  const [sentence] = /^.*?(?:[.!?:](?= [A-Z]|$)|[。！？])/u.exec(text) ?? [text];
  return sentence.replace(/:$/, '.');
}
