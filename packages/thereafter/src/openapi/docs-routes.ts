import type { Context } from '../context.ts';
import { Reply } from '../response/reply.ts';
import { joinPaths, type Route } from '../route.ts';
import type { OpenApiDocument } from './document.ts';
import { FILE_NAMES, fileReply, pageReply, startReply } from './docs-page.ts';

const DOCUMENT_PATH = '/openapi.json';
const DEFAULT_PATH = '/docs';

/** A route that needs nothing injected, so that it is in no plan and in no explanation of one. */
export interface DocsRoute extends Pick<Route, 'path' | 'name'> {
  readonly method: 'GET';
  readonly reply: (ctx: Context) => Reply | Promise<Reply>;
}

/**
 * The routes that serve a document and its page. Where they are by default, a route of the app wins; at a
 * path that was asked for, the two are a conflict, which is reported at start.
 *
 * @param path - Of the page; default `/docs`.
 */
export function docsRoutes(
  document: OpenApiDocument,
  path: string | undefined,
  routes: readonly Route[],
): DocsRoute[] {
  const pagePath = joinPaths(path ?? DEFAULT_PATH);
  const json = serve(DOCUMENT_PATH, documentReply(document));
  const page = pageRoutes(document, pagePath);
  const isOwn = (taken: string): boolean =>
    routes.some(
      (route) => route.method === 'GET' && `${route.path}/`.startsWith(`${taken}/`), // at it or below it
    );
  return [
    ...(isOwn(DOCUMENT_PATH) ? [] : [json]),
    ...(path === undefined && isOwn(pagePath) ? [] : page),
  ];
}

function documentReply(document: OpenApiDocument): () => Reply {
  let text: string | undefined;
  return () => new Reply(200, 'application/json', (text ??= JSON.stringify(document)));
}

/** All addresses in the page are relative, so that it works behind a proxy that cuts a prefix off. */
function pageRoutes({ info, servers }: OpenApiDocument, path: string): DocsRoute[] {
  const segments = path.split('/').filter(Boolean);
  const last = segments.at(-1);
  const up = '../'.repeat(Math.max(0, segments.length - 1));
  const below = (file: string): string => joinPaths(path, file);
  return [
    serve(path, (ctx) =>
      last !== undefined && ctx.path.endsWith('/')
        ? new Reply(308, undefined, undefined, new Headers({ location: `../${last}` }))
        : pageReply(info.title, last === undefined ? '' : `${last}/`, servers),
    ),
    serve(below('start.js'), () => startReply(up + DOCUMENT_PATH.slice(1))),
    ...FILE_NAMES.map((name) => serve(below(name), (ctx) => fileReply(name, ctx))),
  ];
}

function serve(path: string, reply: DocsRoute['reply']): DocsRoute {
  return { method: 'GET', path, name: `the docs page at ${path}`, reply };
}
