// Writes the files of the page into a module (`pnpm --filter @thereafter/console page`), because a bundler
// takes modules along and leaves files behind. A test compares the two.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('src/page/', import.meta.url);
const files = readdirSync(folder)
  .toSorted()
  .map((name) => {
    const content = readFileSync(new URL(name, folder), 'utf8');
    return `  ${JSON.stringify(name)}: ${toLiteral(content)},\n`;
  });
const module = `// Made by inline-page.ts of the files in page/, where they are to be changed.

export const PAGE_FILES: Readonly<Record<string, string>> = {
${files.join('')}};
`;
writeFileSync(new URL('src/page-files.ts', import.meta.url), module);

/** As a template, so that a change of a line is a change of a line here too. */
function toLiteral(content: string): string {
  return `\`${content.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``;
}
