import { realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { exchangeOf, type Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { Reply } from '../response/reply.ts';
import { chooseEncoding, ENCODINGS, type Encoding } from '../response/encoding.ts';
import { contentTypeOf, requestedFile } from '../response/requested-file.ts';
import { addVary } from '../response/response-headers.ts';

/** How the files of a folder are served. */
export interface StaticOptions {
  /** Where the folder hangs in the app, e.g. `/assets`; default `/`. */
  readonly prefix?: string;
  /** The `cache-control` of files; default `no-cache`: kept, but asked for again each time. */
  readonly cacheControl?: string;
  /** The file that answers for a folder, or false; default `index.html`. */
  readonly index?: string | false;
  /**
   * Whether a file that was compressed beforehand is sent in place of its original, to who takes its
   * encoding: `app.js.br`, `app.js.zst` or `app.js.gz` beside `app.js`; default false.
   */
  readonly precompressed?: boolean;
}

/**
 * Answers GET and HEAD with the files of a folder: with ranges, tags and dates. Where there is no file
 * the request goes on to the routes. Nothing outside the folder is ever sent, whatever the path or a
 * link in the folder says, and no file or folder whose name begins with a dot.
 *
 * @param folder - A path, or a `file:` URL such as `new URL('./public', import.meta.url)`.
 * @throws {Error} `ENOENT` when the folder does not exist at start.
 * @throws {PreconditionFailed} In answer to a request that wants another version of a file.
 * @throws {RangeNotSatisfiable} In answer to a request for bytes that the file does not have.
 */
export function staticFiles(folder: string | URL, options: StaticOptions = {}): Middleware {
  const { prefix = '/', cacheControl = 'no-cache', index = 'index.html' } = options;
  const { precompressed = false } = options;
  const root = realpathSync(folder);
  const base = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;

  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    const names = namesBelow(base, ctx.path);
    if (names === undefined) return next();
    const found = await find(root, names, index);
    if (found === undefined) return next();
    // Relative links in the index of a folder need the slash at its end.
    const isFolder = names.at(-1) === '';
    if (found.isIndex && !isFolder) return toSlash(ctx);
    if (!found.isIndex && isFolder) return next();
    const coded = precompressed ? await findCoded(ctx, root, found.file) : undefined;
    const file = coded?.file ?? found.file;
    const reply = await requestedFile(ctx, root, toPath(root, file), 'ignore');
    if (!reply) return next(); // gone since
    reply.headers.set('cache-control', cacheControl);
    if (coded) {
      reply.headers.set('content-type', contentTypeOf(found.file));
      reply.headers.set('content-encoding', coded.encoding);
    }
    return reply;
  };
}

/** What was compressed beforehand ends in this, as the tools write it. */
const ENDINGS: Readonly<Record<Encoding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };

/** The compressed file beside a file that the client likes best; `undefined` for the file itself. */
async function findCoded(
  ctx: Context,
  root: string,
  file: string,
): Promise<{ file: string; encoding: Encoding } | undefined> {
  const coded = new Map<Encoding, string>();
  for (const encoding of ENCODINGS) {
    const path = await realPathWithin(root, file + ENDINGS[encoding]);
    if (path !== undefined && (await stat(path)).isFile()) coded.set(encoding, path);
  }
  if (coded.size === 0) return undefined;
  addVary(ctx, 'Accept-Encoding');
  const encoding = chooseEncoding(ctx.headers['accept-encoding'], [...coded.keys()]);
  return encoding && { file: coded.get(encoding)!, encoding };
}

/**
 * The names of a path below a base, decoded once; the last is empty when the path ends in a slash.
 * Returns `undefined` when the path is not below it, or holds what no name of a file should: a leading
 * dot, a separator, a NUL.
 */
function namesBelow(base: string, path: string): string[] | undefined {
  if (!path.startsWith(base)) return undefined;
  const rest = path.slice(base.length);
  if (rest === '') return [];
  if (!rest.startsWith('/')) return undefined;
  try {
    const names = rest.slice(1).split('/').map(decodeURIComponent);
    const isClean = names.every(
      (name, i) => !FORBIDDEN.test(name) && (name !== '' || i === names.length - 1),
    );
    return isClean ? names : undefined;
  } catch {
    return undefined; // broken percent-encoding, which the router refuses
  }
}

/** On Windows a colon leads to other drives, and to the streams of a file. */
const FORBIDDEN = sep === '\\' ? /^\.|[\0/\\:]/ : /^\.|[\0/\\]/;

/** The real file that names lead to, or the index of their folder; `undefined` when there is neither. */
async function find(
  root: string,
  names: readonly string[],
  index: string | false,
): Promise<{ file: string; isIndex: boolean } | undefined> {
  const file = await realPathWithin(root, join(root, ...names));
  if (file === undefined) return undefined;
  const stats = await stat(file);
  if (stats.isFile()) return { file, isIndex: false };
  if (!stats.isDirectory() || index === false) return undefined;
  const inner = await realPathWithin(root, join(file, index));
  if (inner === undefined || !(await stat(inner)).isFile()) return undefined;
  return { file: inner, isIndex: true };
}

/** Where a path really leads, links followed; `undefined` when that is nowhere, or outside the root. */
async function realPathWithin(root: string, path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path);
    return real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)
      ? real
      : undefined;
  } catch {
    return undefined; // there is nothing, or nothing that we may read
  }
}

function toPath(root: string, file: string): string {
  return relative(root, file).split(sep).map(encodeURIComponent).join('/');
}

function toSlash(ctx: Context): Reply {
  const { target, path } = exchangeOf(ctx);
  const location = `${path}/${target.slice(path.length)}`; // the query string as it came
  return new Reply(301, undefined, undefined, new Headers({ location }));
}
