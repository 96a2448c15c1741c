import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page, Section } from './pages.ts';

/**
 * The list of all pages in the form of https://llmstxt.org. It links to the sources of the pages, which
 * stand beside them.
 */
export function toLlmsTxt(description: string, sections: readonly Section[]): string {
  const listed = sections.map(
    ({ title, pages }) => `## ${title}\n\n${pages.map(toLine).join('\n')}\n`,
  );
  return `${header(description)}\n${listed.join('\n')}`;
}

/** The texts of all pages, one after the other, each below its address. */
export function toLlmsFullTxt(
  description: string,
  sections: readonly Section[],
  folder: string,
): string {
  const texts = sections
    .flatMap(({ pages }) => pages)
    .map(({ file }) => `<!-- /${file} -->\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`);
  return `${header(description)}\n${texts.join('\n')}`;
}

function header(description: string): string {
  return `# Thereafter\n\n> ${description}\n`;
}

function toLine({ file, title, summary }: Page): string {
  return `- [${title}](/${file})${summary === '' ? '' : `: ${summary}`}`;
}
