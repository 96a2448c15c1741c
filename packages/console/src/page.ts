import { Reply, type Context } from 'thereafter';
import { packagedFile } from 'thereafter/packaged-file';

/**
 * Where the files of the page are: beside this module, in the published package and in a bundle under a
 * name that says whose they are.
 */
const folder = new URL(
  import.meta.url.endsWith('.ts') ? './page/' : './console-page/',
  import.meta.url,
);

/** All addresses in the page are relative, so that it works below any prefix; for that it needs the slash. */
export function pageReply(ctx: Context): Promise<Reply> | Reply {
  const { pathname } = ctx.url;
  if (pathname.endsWith('/')) return pageFile(ctx, 'index.html');
  const location = `./${pathname.slice(pathname.lastIndexOf('/') + 1)}/`;
  return new Reply(308, undefined, undefined, new Headers({ location }));
}

/**
 * A file of the page. It may be kept but is asked for again each time: `no-store`, as for the rest of
 * the console, would send a page of a dozen files whole each time.
 *
 * @throws {NotFound} For a file that the page does not have.
 */
export function pageFile(ctx: Context, name: string): Promise<Reply> {
  return packagedFile(ctx, folder, name, 'private, no-cache');
}
