import { existsSync, type Stats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context.ts';
import { nodeCrypto } from '../node-modules.ts';
import { chooseEncoding, encode, ENCODINGS, MIN_ENCODED_BYTES, type Encoding } from './encoding.ts';
import { isNotModified } from './entity-tag.ts';
import { NotFound } from './problem.ts';
import { Reply } from './reply.ts';
import { addVary } from './response-headers.ts';

const TYPES: ReadonlyMap<string, string> = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['svg', 'image/svg+xml'],
]);

/** A name, and nothing that would lead to another folder. */
const NAME = /^[\w-]+(?:\.[\w-]+)*\.(\w+)$/;

/**
 * A file of a page that a package brings along, such as the page of the docs. It is read when a browser
 * first asks, compressed once for each encoding, and answered with 304 to who has it. A file that has
 * been written again is read again.
 *
 * @param folder - With a slash at its end. A bundler that knows nothing of the page leaves the folder
 *   behind; it has to lie where this URL leads from the bundle.
 * @param name - Of an HTML, CSS, JavaScript or SVG file in it. A client may have chosen it.
 * @param cacheControl - The `cache-control` of the answer; default `no-cache`: kept, but asked for again
 *   each time.
 * @throws {NotFound} When there is no such file, or the folder is missing.
 * @throws {PreconditionFailed} When the client wants another version.
 */
export async function packagedFile(
  ctx: Context,
  folder: URL,
  name: string,
  cacheControl = 'no-cache',
): Promise<Reply> {
  const type = TYPES.get(NAME.exec(name)?.[1] ?? '');
  const file = type && (await find(new URL(name, folder)));
  if (!file) {
    assertPackaged(folder);
    throw new NotFound(`The page has no file ${name}.`);
  }
  addVary(ctx, 'Accept-Encoding');
  const headers = new Headers({
    etag: file.etag,
    'cache-control': cacheControl,
    'x-content-type-options': 'nosniff',
  });
  if (isNotModified(ctx.headers, file.etag)) return new Reply(304, undefined, undefined, headers);
  const isSmall = file.stats.size < MIN_ENCODED_BYTES;
  const encoding = chooseEncoding(ctx.headers['accept-encoding'], isSmall ? [] : ENCODINGS);
  if (encoding === undefined) return new Reply(200, type, await readFile(file.url), headers);
  headers.set('content-encoding', encoding);
  return new Reply(200, type, await encoded(file, encoding), headers);
}

/** @throws {NotFound} When a bundle was deployed without the folder of a page. */
export function assertPackaged(folder: URL): void {
  if (existsSync(folder)) return;
  const name = basename(fileURLToPath(folder));
  throw new NotFound(
    `The files of this page are not here. Deploy the folder ${name} beside the bundle.`,
  );
}

/** What is kept of a file that somebody has asked for. */
interface KnownFile {
  readonly url: URL;
  readonly stats: Stats;
  readonly etag: string;
  readonly encoded: Map<Encoding, Uint8Array>;
}

const knownFiles = new Map<string, KnownFile>();

async function find(url: URL): Promise<KnownFile | undefined> {
  const stats = await stat(url).catch(() => undefined);
  if (!stats?.isFile()) return undefined;
  const known = knownFiles.get(url.href);
  if (known?.stats.mtimeMs === stats.mtimeMs) return known;
  // Not made of its date: package managers give all files the same.
  const hash = nodeCrypto()
    .createHash('sha256')
    .update(await readFile(url));
  const etag = `W/"${hash.digest('base64url').slice(0, 22)}"`; // weak: one for all encodings
  const file = { url, stats, etag, encoded: new Map() };
  knownFiles.set(url.href, file);
  return file;
}

async function encoded(file: KnownFile, encoding: Encoding): Promise<Uint8Array> {
  const known = file.encoded.get(encoding);
  if (known) return known;
  const body = await encode(await readFile(file.url), encoding);
  file.encoded.set(encoding, body);
  return body;
}
