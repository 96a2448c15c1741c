import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toCpuTable } from '../.vitepress/cpu.data.ts';
import { toLlmsFullTxt, toLlmsTxt } from '../llms.ts';
import { linkTo, sections, sectionsZhHant } from '../pages.ts';
import { docs } from './support/page.ts';

const read = (file: string): string => readFileSync(join(docs, file), 'utf8');
const all = [...sections(), ...sectionsZhHant()];
const listed = all.flatMap(({ pages }) => pages);

describe('the sections', () => {
  it('hold every page but the home pages, once each', () => {
    const files = globSync('**/*.md', {
      cwd: docs,
      exclude: (name) => ['node_modules', 'dist', 'cache'].includes(name),
    }).filter((file) => !['index.md', 'zh-Hant/index.md'].includes(file));
    expect(files.length).toBeGreaterThan(20);
    expect(listed.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
  });

  it('begin with what a newcomer should read', () => {
    expect(all[0]!.pages.map(({ title }) => title)).toEqual([
      'Quickstart',
      'Controllers',
      'Inputs',
      'Dependencies',
      'Background tasks',
      'Errors',
      'Testing',
      'Deployment',
    ]);
  });

  it('have titles and summaries that are plain text', () => {
    const guide = listed.find(({ file }) => file === 'guides/middleware.md')!;
    expect(guide.summary).toBe(
      'Middleware is a layer around what comes after it: (ctx, next) => ….',
    );
    expect(linkTo('guides/middleware.md')).toBe('/guides/middleware');
    expect(linkTo('zh-Hant/index.md')).toBe('/zh-Hant/');
    expect(listed.filter(({ title, summary }) => /[`*\]]/.test(title + summary))).toEqual([]);
  });
});

describe('llms.txt', () => {
  it('links to the source of every page', () => {
    const text = toLlmsTxt('What it is.', all);
    expect(text).toMatch(/^# Thereafter\n\n> What it is\.\n\n## Tutorial\n\n- \[Quickstart\]\(/);
    const links = [...text.matchAll(/^- \[.+?\]\(\/(\S+?)\)/gm)].map(([, file]) => file!);
    expect(links).toEqual(listed.map(({ file }) => file));
    for (const link of links) expect(read(link)).not.toBe('');
  });

  it('has a full twin that holds the text of every page', () => {
    const text = toLlmsFullTxt('What it is.', all, docs);
    for (const { file } of listed) {
      expect(text).toContain(`<!-- /${file} -->\n\n${read(file).trim()}`);
    }
  });
});

describe('the home page', () => {
  it('shows the figures of the page of benchmarks', () => {
    const { loads, rows } = toCpuTable(read('reference/benchmarks.md'));
    expect(loads).toEqual(['hello', 'users', 'post', 'inject', 'bg']);
    expect(rows.map(({ name }) => name)).toContain('Thereafter');
    for (const { factors } of rows) {
      expect(factors).toHaveLength(loads.length);
      for (const factor of factors) expect(factor).toMatch(/^\d+\.\d\d×$/);
    }
  });

  it('draws the stages that the map of the lifecycle has', () => {
    const [, diagram = ''] = /```mermaid\n(.*?)```/s.exec(read('lifecycle.md')) ?? [];
    const drawing = read('.vitepress/theme/RequestPath.vue');
    const stages = [...diagram.matchAll(/(?:\[\(?|\{\{?)([a-z ]+)[\])?}]/g)].map(
      ([, name]) => name!,
    );
    expect(stages).toContain('background tasks');
    const ofOthers = ['done', 'problem']; // the end, and what the exits lead to
    expect(stages.filter((name) => !ofOthers.includes(name) && !drawing.includes(name))).toEqual(
      [],
    );
  });
});
