import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** A link of a page to a file of the repository that is no page. */
export interface SourceLink {
  readonly text: string;
  /** From the root of the repository: `packages/tasks/test/runner.test.ts`. */
  readonly file: string;
}

const root = join(import.meta.dirname, '..');
const LINK = /\[((?:[^\]\\]|\\.)+)\]\(([^)\s]+)\)/g;

/**
 * Where a link of a page leads when that is outside of the pages: to a test, say. The site has a copy of
 * such a file.
 *
 * @param page - Below `docs/`, with its ending.
 * @returns The path from the root of the repository; undefined for all other links.
 */
export function sourceOf(page: string, href: string): string | undefined {
  if (/^(?:[a-z]+:|\/|#)/.test(href)) return undefined;
  const file = posix.join('docs', posix.dirname(page), href);
  return /^docs\/(?!test\/|listings\/)/.test(file) ? undefined : file;
}

/** Where the copy is on the site: browsers show it as text, whatever its name says. */
export function linkToSource(file: string): string {
  return `/${file}.txt`;
}

/** The links of a page to files that are no pages, in their order. */
export function sourceLinksOf(page: string): SourceLink[] {
  const markdown = readFileSync(join(root, 'docs', page), 'utf8');
  return [...markdown.matchAll(LINK)].flatMap(([, text = '', href = '']) => {
    const file = sourceOf(page, href);
    return file === undefined ? [] : [{ text, file }];
  });
}

/**
 * Puts the files that pages link to where the site has them.
 *
 * @throws {Error} When a page links to a file that is not there.
 */
export function copySources(pages: readonly string[], site: string): void {
  for (const page of pages) {
    for (const { file } of sourceLinksOf(page)) {
      if (!existsSync(join(root, file))) {
        throw new Error(`docs/${page} links to ${file}: no such file in the repository.`);
      }
      const target = join(site, linkToSource(file));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(root, file), target);
    }
  }
}
