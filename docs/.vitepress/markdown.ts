import { posix } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';
import { linkToSource, sourceOf } from '../sources.ts';

const NAMED = /^<!-- ([^\s#]+\.\w+|\S*Dockerfile) -->\s*$/;

/**
 * Shows the name of a listing's file above it. The comment before a code block names the file; of a part
 * of one (`file#part`) nothing is shown.
 */
export function captions(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('captions', ({ tokens }) => {
    for (const [index, token] of tokens.entries()) {
      const file = token.type === 'html_block' ? NAMED.exec(token.content)?.[1] : undefined;
      if (file === undefined || tokens[index + 1]?.type !== 'fence') continue;
      token.content = `<div class="listing-name">${posix.basename(file)}</div>\n`;
    }
  });
}

/** Leads links to files of the repository, tests say, to their copies on the site. */
export function sources(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('sources', ({ tokens, env }) => {
    const page = (env as { relativePath?: string }).relativePath ?? '';
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const file = token.type === 'link_open' && sourceOf(page, token.attrGet('href') ?? '');
      if (file) token.attrSet('href', linkToSource(file));
    }
  });
}

/**
 * Shows the request's path, which lifecycle.md holds as a Mermaid diagram, as the drawing of the home
 * page. Mermaid itself would be several megabytes for one picture.
 */
export function diagrams(markdown: MarkdownRenderer): void {
  const fence = markdown.renderer.rules.fence!;
  markdown.renderer.rules.fence = (
    tokens,
    index,
    options,
    env: { relativePath?: string },
    self,
  ) => {
    if (tokens[index]!.info.trim() !== 'mermaid') return fence(tokens, index, options, env, self);
    if (env.relativePath !== 'lifecycle.md') {
      throw new Error(`${env.relativePath} holds a Mermaid diagram, which the site cannot draw.`);
    }
    return '<RequestPath />\n';
  };
}
