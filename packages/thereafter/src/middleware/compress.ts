import { pipeline, type Readable, type Transform } from 'node:stream';
import { promisify } from 'node:util';
import {
  brotliCompress,
  constants,
  createBrotliCompress,
  createGzip,
  createZstdCompress,
  gzip,
  zstdCompress,
} from 'node:zlib';
import type { Middleware } from '../middleware.ts';
import { addVary, headerOf, removeHeader, replaceHeader } from './response-headers.ts';

export type Encoding = 'br' | 'zstd' | 'gzip';

export interface CompressOptions {
  /** What may be used, the best first: it decides between those that a client likes equally. Default br, zstd, gzip. */
  readonly encodings?: readonly Encoding[];
  /** Bodies below this are sent as they are; default 1024. Streams, whose size nobody knows, never are. */
  readonly minBytes?: number;
}

/**
 * Compresses texts, JSON and other bodies that it pays for. Left alone are small bodies, coded ones,
 * parts of files, event streams, and what `cache-control: no-transform` forbids. What a stream has
 * written is passed on at once. A strong `etag` becomes weak, since the bytes are others.
 *
 * Where an answer holds both a secret and what an attacker chose, its compressed length tells of the
 * secret (BREACH): answer those with `cache-control: no-transform`.
 */
export function compress(options: CompressOptions = {}): Middleware {
  const { encodings = ['br', 'zstd', 'gzip'], minBytes = 1024 } = options;
  return async (ctx, next) => {
    const reply = await next();
    const { status, body } = reply;
    if (status === 304) addVary(ctx, 'Accept-Encoding'); // it must say what the 200 would
    if (body === undefined || status === 204 || status === 206 || status === 304) return reply;
    if (
      !isCompressible(headerOf(ctx, reply, 'content-type')) ||
      headerOf(ctx, reply, 'content-encoding') !== undefined ||
      headerOf(ctx, reply, 'content-range') !== undefined ||
      /\bno-transform\b/i.test(headerOf(ctx, reply, 'cache-control') ?? '')
    ) {
      return reply;
    }
    const isStream = typeof body !== 'string' && !(body instanceof Uint8Array);
    const length = isStream
      ? Number(headerOf(ctx, reply, 'content-length') ?? Infinity)
      : Buffer.byteLength(body);
    if (length < minBytes) return reply;
    addVary(ctx, 'Accept-Encoding');
    const encoding = chooseEncoding(ctx.headers['accept-encoding'], encodings);
    if (encoding === undefined) return reply;

    removeHeader(ctx, reply, 'content-length');
    removeHeader(ctx, reply, 'accept-ranges'); // ranges would be those of other bytes
    reply.headers.set('content-encoding', encoding);
    const etag = headerOf(ctx, reply, 'etag');
    if (etag?.startsWith('"')) replaceHeader(ctx, reply, 'etag', `W/${etag}`);
    const { whole, stream } = CODERS[encoding];
    reply.body = isStream ? through(body, stream()) : await whole(body);
    return reply;
  };
}

/**
 * The encoding that a client likes best, of those that there are; nothing when it is to have none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
 */
function chooseEncoding(
  accepted: string | string[] | undefined,
  encodings: readonly Encoding[],
): Encoding | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const part of accepted.toString().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const q = parameters.find((each) => each.startsWith('q='))?.slice(2);
    weights.set(name === 'x-gzip' ? 'gzip' : name, q === undefined ? 1 : Number(q) || 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  let best: Encoding | undefined;
  // Not coding is worth what is said of it, and otherwise less than anything that is accepted.
  let bestWeight = weights.get('identity') ?? 0;
  for (const encoding of encodings) {
    const weight = weightOf(encoding);
    const isBetter = best === undefined ? weight >= bestWeight : weight > bestWeight;
    if (weight === 0 || !isBetter) continue;
    best = encoding;
    bestWeight = weight;
  }
  return best;
}

function isCompressible(type: string | undefined): boolean {
  return type !== undefined && COMPRESSIBLE.test(type) && !type.startsWith('text/event-stream');
}

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:(?:[\w.-]+\+)?(?:json|xml)|jsonl|x-ndjson|javascript|wasm|xhtml|manifest)\b|image\/svg\+xml|font\/(?:ttf|otf)|application\/vnd\.ms-fontobject)/i;

interface Coder {
  readonly whole: (body: string | Uint8Array) => Promise<Buffer>;
  /** Passes on at each write what it has, so that a slow stream is not held back. */
  readonly stream: () => Transform;
}

const gzipWhole = promisify(gzip);
const brotliWhole = promisify(brotliCompress);
const zstdWhole = promisify(zstdCompress);

// The default level of brotli, 11, is made for files that are compressed once: it takes a hundred times as long as 4.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const CODERS: Readonly<Record<Encoding, Coder>> = {
  br: {
    whole: (body) => brotliWhole(body, BROTLI),
    stream: () => createBrotliCompress({ ...BROTLI, flush: constants.BROTLI_OPERATION_FLUSH }),
  },
  gzip: {
    whole: (body) => gzipWhole(body),
    stream: () => createGzip({ flush: constants.Z_SYNC_FLUSH }),
  },
  zstd: {
    whole: (body) => zstdWhole(body),
    stream: () => createZstdCompress({ flush: constants.ZSTD_e_flush }),
  },
};

/** What fails in one fails in the other: a broken body breaks the answer, a lost client ends the body. */
function through(body: Readable, coder: Transform): Readable {
  pipeline(body, coder, () => undefined); // whoever reads the coder is told
  return coder;
}
