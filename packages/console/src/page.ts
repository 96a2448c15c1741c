import { createHash } from 'node:crypto';
import { NotFound, Reply, type Context } from 'thereafter';
import { PAGE_FILES } from './page-files.ts';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** All addresses in the page are relative, so that it works below any prefix; for that it needs the slash. */
export function pageReply(ctx: Context): Reply {
  const { pathname } = ctx.url;
  if (pathname.endsWith('/')) return fileReply(ctx, 'index.html');
  const location = `./${pathname.slice(pathname.lastIndexOf('/') + 1)}/`;
  return new Reply(308, undefined, undefined, new Headers({ location }));
}

/** @throws {NotFound} For a file that the page does not have. */
export function pageFile(ctx: Context): Reply {
  return fileReply(ctx, ctx.params.file!);
}

function fileReply(ctx: Context, name: string): Reply {
  const content = Object.hasOwn(PAGE_FILES, name) ? PAGE_FILES[name] : undefined;
  if (content === undefined) throw new NotFound(`The page of the console has no file ${name}.`);
  const etag = (etags[name] ??= toEtag(content));
  // Not `no-store`: a page of a dozen files would be sent whole each time.
  const headers = new Headers({ etag, 'cache-control': 'private, no-cache' });
  if (ctx.headers['if-none-match'] === etag) return new Reply(304, undefined, undefined, headers);
  return new Reply(200, TYPES[name.slice(name.lastIndexOf('.') + 1)], content, headers);
}

const etags: Record<string, string> = {};

function toEtag(content: string): string {
  return `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}
