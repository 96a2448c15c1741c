// What VitePress does not look at in the site that it has built: anchors, links in HTML, the lists for
// programs, and that no page asks another host for anything.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const dist = process.argv[2] ?? join(import.meta.dirname, '.vitepress/dist');
const read = (file: string): string => readFileSync(join(dist, file), 'utf8');

const pages = new Map<string, string>(
  globSync('**/*.html', { cwd: dist }).map((file) => {
    const path = file.replaceAll('\\', '/');
    return [`/${path.replace(/(?:index)?\.html$/, '')}`, read(path)] as const;
  }),
);
const faults = [
  ...[...pages].flatMap(([path, html]) => [...deadLinks(path, html), ...foreignParts(path, html)]),
  ...globSync('**/*.css', { cwd: dist }).flatMap((file) => foreignParts(file, read(file))),
  ...deadListed('llms.txt'),
];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exitCode = 1;
else console.log(`${pages.size} pages: no dead link, nothing from another host.`);

/** Links within the site that lead to no page, no file or no heading. */
function deadLinks(path: string, html: string): string[] {
  return [...html.matchAll(/<a\b[^>]*\bhref="([^"]*)"/g)].flatMap(([, href = '']) => {
    if (/^(?:https?:|mailto:)/.test(href)) return [];
    const url = new URL(href.replaceAll('&amp;', '&'), `http://site${path}`);
    const target = pages.get(url.pathname);
    const anchor = decodeURIComponent(url.hash.slice(1));
    if (target === undefined) {
      return existsSync(join(dist, url.pathname))
        ? []
        : [`${path} links to ${href}: no such page.`];
    }
    if (anchor === '' || target.includes(`id="${anchor}"`)) return [];
    return [`${path} links to ${href}: that page has no such heading.`];
  });
}

/** Scripts, styles, pictures and fonts that a browser would load from elsewhere. */
function foreignParts(path: string, text: string): string[] {
  const LOADED =
    /(?:<(?:script|img|iframe|source)\b[^>]*\bsrc="|<link\b[^>]*\bhref="|url\(["']?|@import\s*["'])((?:https?:)?\/\/[^"')]+)/g;
  return [...text.matchAll(LOADED)].map(([, url]) => `${path} loads ${url}.`);
}

/** Pages that a list for programs names and that are not there. */
function deadListed(list: string): string[] {
  const links = [...read(list).matchAll(/^- \[[^\]]*\]\((\S+)\)/gm)].map(([, link]) => link!);
  if (links.length === 0) return [`${list} lists nothing.`];
  return links
    .filter((link) => !existsSync(join(dist, link)))
    .map((link) => `${list} links to ${link}: no such file.`);
}
