import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Context } from '../context.ts';
import { assertPackaged, packagedFile } from '../response/packaged-file.ts';
import { Reply } from '../response/reply.ts';
import type { ApiServer } from './document.ts';

/*
 * The page is Swagger UI, from files that the app itself serves (docs/adr/0006-docs-page.md). They are
 * read when a browser first asks for them, so an app that nobody reads about pays for none of it.
 */

/** The files of Swagger UI that the page needs. */
export const FILE_NAMES = ['swagger-ui-bundle.js', 'swagger-ui.css'] as const;

/**
 * The page may load from the app alone, and send to it and the servers of the API alone: no CDN, no
 * telemetry, no font service.
 */
function policy(servers: readonly ApiServer[]): string {
  const origins = servers
    .filter(({ url }) => /^https?:/i.test(url))
    .flatMap(({ url }) => URL.parse(url)?.origin ?? []);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'", // Swagger UI sets styles on elements
    "img-src 'self' data:",
    ["connect-src 'self'", ...new Set(origins)].join(' '),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/**
 * The page itself.
 *
 * @param files - The folder of the page's files, relative to the page.
 * @param servers - Those of the document. Where there is no choice, none is shown.
 * @throws {NotFound} When a bundle was deployed without the files.
 */
export function pageReply(title: string, files: string, servers: readonly ApiServer[]): Reply {
  assertPackaged(folder()); // rather say what is missing than show an empty page
  const style = servers.length > 1 ? '' : ONE_SERVER;
  const html = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${escapeHtml(title)}</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="${files}swagger-ui.css" />
    ${style}
  </head>
  <body>
    <div id="docs"></div>
    <script src="${files}swagger-ui-bundle.js"></script>
    <script src="${files}start.js"></script>
  </body>
</html>
`;
  const headers = new Headers({
    'content-security-policy': policy(servers),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  });
  return new Reply(200, 'text/html; charset=utf-8', html, headers);
}

const ONE_SERVER = `<style>
      .servers-title, .servers, .scheme-container:not(:has(.auth-wrapper)) { display: none; }
    </style>`;

/**
 * The script that starts Swagger UI.
 *
 * @param document - Where the OpenAPI document is, relative to the page.
 */
export function startReply(document: string): Reply {
  const options = {
    url: document,
    dom_id: '#docs',
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null, // the default sends the document to a service
  };
  const code = `window.ui = SwaggerUIBundle(${JSON.stringify(options)});\n`;
  return new Reply(200, 'text/javascript; charset=utf-8', code);
}

/** A file of Swagger UI. */
export function fileReply(name: (typeof FILE_NAMES)[number], ctx: Context): Promise<Reply> {
  return packagedFile(ctx, folder(), name, 'public, max-age=3600');
}

/**
 * Where the files of Swagger UI are: in the library itself as long as this is source, and otherwise
 * beside this module, in the published package and in a bundle.
 */
function folder(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('./docs-page/', import.meta.url);
  const { resolve } = createRequire(import.meta.url);
  return new URL('.', pathToFileURL(resolve('swagger-ui-dist/package.json')));
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
