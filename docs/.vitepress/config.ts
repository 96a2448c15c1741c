import { writeFileSync, copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineConfig, type DefaultTheme } from 'vitepress';
import { toLlmsFullTxt, toLlmsTxt } from '../llms.ts';
import { linkTo, sections, sectionsZhHant, type Section } from '../pages.ts';
import { copySources } from '../sources.ts';
import { captions, diagrams, sources } from './markdown.ts';

const english = sections();
const chinese = sectionsZhHant();

const DESCRIPTION =
  'An HTTP microframework for Node that answers first and works thereafter: controllers, injection by type, one schema for validation, types and OpenAPI, and background tasks.';

export default defineConfig({
  title: 'Thereafter',
  description: DESCRIPTION,
  cleanUrls: true,
  srcExclude: ['listings/**', 'test/**'],
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: '/logo.svg' }]],
  markdown: {
    theme: { light: 'github-light', dark: 'github-dark' },
    config: (markdown) => {
      captions(markdown);
      diagrams(markdown);
      sources(markdown);
    },
  },
  locales: {
    root: { label: 'English', lang: 'en' },
    'zh-Hant': {
      label: '繁體中文',
      lang: 'zh-Hant-TW',
      link: '/zh-Hant/',
      description: 'Node 的 HTTP 微框架：先回應，再做事。',
      themeConfig: {
        nav: [
          { text: '指南', link: firstOf(chinese[0]!) },
          { text: 'English', link: '/' },
        ],
        sidebar: chinese.map((section) => sidebarOf(section)),
        outline: { level: [2, 3], label: '本頁內容' },
        docFooter: { prev: '上一頁', next: '下一頁' },
        darkModeSwitchLabel: '外觀',
        sidebarMenuLabel: '選單',
        returnToTopLabel: '回到頁首',
        langMenuLabel: '切換語言',
        lightModeSwitchTitle: '切換為淺色',
        darkModeSwitchTitle: '切換為深色',
        skipToContentLabel: '跳到內容',
      },
    },
  },
  themeConfig: {
    logo: '/logo.svg',
    // Most pages are in English only: the menu leads to the start of a language, which always exists.
    i18nRouting: false,
    nav: navigation(english),
    sidebar: english.map((section) => sidebarOf(section)),
    outline: { level: [2, 3] },
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          options: {
            // Chinese has no blanks between words. Runs in the browser too, so it must stand alone.
            tokenize: (text) =>
              [...new Intl.Segmenter('zh-Hant', { granularity: 'word' }).segment(text)]
                .filter(({ isWordLike }) => isWordLike)
                .map(({ segment }) => segment),
          },
          // What explains comes before what lists.
          searchOptions: { boostDocument: (id) => (id.includes('/reference/api/') ? 0.2 : 1) },
        },
        locales: {
          'zh-Hant': {
            translations: {
              button: { buttonText: '搜尋', buttonAriaLabel: '搜尋' },
              modal: {
                displayDetails: '顯示詳細內容',
                resetButtonTitle: '清除',
                backButtonTitle: '關閉',
                noResultsText: '找不到',
                footer: { selectText: '選取', navigateText: '移動', closeText: '關閉' },
              },
            },
          },
        },
      },
    },
  },
  /** Puts the sources of the pages and two lists of them beside what was built, for programs that read. */
  buildEnd({ srcDir, outDir }) {
    const all = [...english, ...chinese];
    const files = all.flatMap(({ pages }) => pages).map(({ file }) => file);
    for (const file of files) {
      const target = join(outDir, file);
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(srcDir, file), target);
    }
    copySources(files, outDir);
    writeFileSync(join(outDir, 'llms.txt'), toLlmsTxt(DESCRIPTION, all));
    writeFileSync(join(outDir, 'llms-full.txt'), toLlmsFullTxt(DESCRIPTION, all, srcDir));
  },
});

function navigation(all: readonly Section[]): DefaultTheme.NavItem[] {
  return all
    .filter(({ title }) => ['Tutorial', 'Guides', 'Reference', 'Decisions'].includes(title))
    .map((section) => ({
      text: section.title,
      link: firstOf(section),
      activeMatch: `^/${section.title.toLowerCase()}/`,
    }));
}

function sidebarOf({ title, pages }: Section): DefaultTheme.SidebarItem {
  return {
    text: title,
    collapsed: title === 'API' || title === 'Decisions',
    items: pages.map(({ file, title: text }) => ({ text, link: linkTo(file) })),
  };
}

function firstOf({ pages }: Section): string {
  return linkTo(pages[0]!.file); // no section is without pages
}
