import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { nodeCrypto } from '../node-modules.ts';
import type { Context } from '../context.ts';
import { NotFound } from '../response/problem.ts';
import { Reply } from '../response/reply.ts';
import type { ApiServer } from './document.ts';

/*
 * The page is Swagger UI, from files that the app itself serves (docs/adr/0006-docs-page.md). They are
 * read when a browser first asks for them, so an app that nobody reads about pays nothing.
 */

/** The files of Swagger UI that the page needs. */
const FILES = {
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
} as const;

type FileName = keyof typeof FILES;

export const FILE_NAMES = Object.keys(FILES) as readonly FileName[];

/**
 * Nothing may be loaded from any other place, and nothing sent there but to the servers of the API: no
 * CDN, no telemetry, no font service.
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
 * @param files - The folder of the page's files, relative to the page.
 * @param servers - Those of the document. Where there is no choice, none is shown.
 */
export function pageReply(title: string, files: string, servers: readonly ApiServer[]): Reply {
  folder(); // rather say what is missing than show an empty page
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

/** @param document - Where the OpenAPI document is, relative to the page. */
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
  return new Reply(200, FILES['swagger-ui-bundle.js'], code);
}

/** A file of Swagger UI, read and compressed once. */
export async function fileReply(name: FileName, ctx: Context): Promise<Reply> {
  const { compressed, etag } = await (loaded[name] ??= load(name));
  const headers = new Headers({
    etag,
    'cache-control': 'public, max-age=3600',
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
  });
  if (ctx.headers['if-none-match'] === etag) return new Reply(304, undefined, undefined, headers);
  if (!/\bgzip\b/.test(ctx.headers['accept-encoding']?.toString() ?? '')) {
    return new Reply(200, FILES[name], await promisify(gunzip)(compressed), headers);
  }
  headers.set('content-encoding', 'gzip');
  return new Reply(200, FILES[name], compressed, headers);
}

interface LoadedFile {
  readonly compressed: Uint8Array;
  readonly etag: string;
}

const loaded: Partial<Record<FileName, Promise<LoadedFile>>> = {};

async function load(name: FileName): Promise<LoadedFile> {
  const content = await readFile(new URL(name, folder()));
  const etag = `W/"${nodeCrypto().createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
  return { compressed: await promisify(gzip)(content), etag };
}

/**
 * Where the files are: beside this module in the published package and in a bundle, and in the library
 * itself in the repository.
 *
 * @throws {NotFound} When a bundle was deployed without them.
 */
function folder(): URL {
  const beside = new URL('./docs-page/', import.meta.url);
  if (existsSync(fileURLToPath(beside))) return beside;
  try {
    const manifest = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
    return new URL('.', pathToFileURL(manifest));
  } catch {
    throw new NotFound(
      'The files of the docs page are not here. Deploy the folder docs-page beside the bundle. The ' +
        'document itself is at /openapi.json.',
    );
  }
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
