import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { docs } from './support/page.ts';

let site: string;
beforeEach(() => {
  site = mkdtempSync(join(tmpdir(), 'thereafter-site-'));
  addFile('index.html', '<a href="./guides/inputs#limits">Limits</a><a href="/llms.txt">list</a>');
  addFile('guides/inputs.html', '<h2 id="limits">Limits</h2><a href="https://example.com">x</a>');
  addFile('guides/inputs.md', '# Inputs');
  addFile('llms.txt', '- [Inputs](/guides/inputs.md): What a handler needs.');
});
afterEach(() => rmSync(site, { recursive: true }));

function addFile(file: string, text: string): void {
  mkdirSync(dirname(join(site, file)), { recursive: true });
  writeFileSync(join(site, file), text);
}

function check(): { exitCode: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(docs, 'check-site.ts'), site],
    { encoding: 'utf8' },
  );
  return { exitCode: status, output: stdout + stderr };
}

describe('check-site', () => {
  it('accepts links to pages, headings and files, and to other hosts', () => {
    expect(check()).toEqual({
      exitCode: 0,
      output: '2 pages: no dead link, nothing from another host.\n',
    });
  });

  it.each([
    ['a page that is not there', '<a href="./errors">x</a>', '/ links to ./errors: no such page.'],
    [
      'a heading that is not there',
      '<a href="/guides/inputs#forms">x</a>',
      '/ links to /guides/inputs#forms: that page has no such heading.',
    ],
    [
      'a script of another host',
      '<script src="https://cdn.example/x.js"></script>',
      '/ loads https://cdn.example/x.js.',
    ],
    [
      'a style of another host',
      '<link rel="stylesheet" href="//fonts.example/x.css">',
      '/ loads //fonts.example/x.css.',
    ],
  ])('refuses %s', (_, html, fault) => {
    addFile('index.html', html);
    expect(check()).toEqual({ exitCode: 1, output: `${fault}\n` });
  });

  it('refuses a font of another host in a style sheet', () => {
    addFile('assets/style.css', '@font-face { src: url("https://fonts.example/x.woff2") }');
    expect(check().output).toBe('assets/style.css loads https://fonts.example/x.woff2.\n');
  });

  it('refuses a list that names a page that is not there, or none', () => {
    addFile('llms.txt', '- [Errors](/guides/errors.md)');
    expect(check().output).toBe('llms.txt links to /guides/errors.md: no such file.\n');
    addFile('llms.txt', '# Thereafter');
    expect(check().output).toBe('llms.txt lists nothing.\n');
  });
});
