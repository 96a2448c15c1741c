import { pipeline, type Readable, type Transform } from 'node:stream';
import { constants, createBrotliCompress, createGzip, createZstdCompress } from 'node:zlib';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import {
  BROTLI,
  chooseEncoding,
  encode,
  ENCODINGS,
  MIN_ENCODED_BYTES,
  type Encoding,
} from '../response/encoding.ts';
import type { Reply } from '../response/reply.ts';
import { addVary, headerOf, removeHeader, replaceHeader } from '../response/response-headers.ts';

export type { Encoding } from '../response/encoding.ts';

/** What `compress()` may do. */
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
  const { encodings = ENCODINGS, minBytes = MIN_ENCODED_BYTES } = options;
  return async (ctx, next) => {
    const reply = await next();
    const { status, body } = reply;
    const isNotModified = status === 304; // it must say what the 200 would
    if (isNotModified) addVary(ctx, 'Accept-Encoding');
    if (body === undefined && isNotModified) weakenIfKnown(ctx, reply);
    if (body === undefined || status === 204 || status === 206) return reply;
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
    weaken(ctx, reply);
    if (isNotModified) return reply;

    removeHeader(ctx, reply, 'content-length');
    removeHeader(ctx, reply, 'accept-ranges'); // ranges would be those of other bytes
    reply.headers.set('content-encoding', encoding);
    reply.body = isStream ? through(body, encoder(encoding)) : await encode(body, encoding);
    return reply;
  };
}

/** Coded bytes are others than those that a strong tag vouches for. */
function weaken(ctx: Context, reply: Reply): void {
  const tag = headerOf(ctx, reply, 'etag');
  if (tag?.startsWith('"')) replaceHeader(ctx, reply, 'etag', `W/${tag}`);
}

/** Without the body nobody knows whether it would be coded. The client does, if it was. */
function weakenIfKnown(ctx: Context, reply: Reply): void {
  const tag = headerOf(ctx, reply, 'etag');
  if (ctx.headers['if-none-match']?.includes(`W/${tag}`)) weaken(ctx, reply);
}

function isCompressible(type: string | undefined): boolean {
  return type !== undefined && COMPRESSIBLE.test(type) && !type.startsWith('text/event-stream');
}

const COMPRESSIBLE =
  /^(?:text\/|application\/(?:(?:[\w.-]+\+)?(?:json|xml)|jsonl|x-ndjson|javascript|wasm|xhtml|manifest)\b|image\/svg\+xml|font\/(?:ttf|otf)|application\/vnd\.ms-fontobject)/i;

/** Codes a stream. It passes on at each write what it has, so that a slow stream is not held back. */
function encoder(encoding: Encoding): Transform {
  switch (encoding) {
    case 'br':
      return createBrotliCompress({ ...BROTLI, flush: constants.BROTLI_OPERATION_FLUSH });
    case 'gzip':
      return createGzip({ flush: constants.Z_SYNC_FLUSH });
    case 'zstd':
      return createZstdCompress({ flush: constants.ZSTD_e_flush });
  }
}

/** What fails in one fails in the other: a broken body breaks the answer, a lost client ends the body. */
function through(body: Readable, coder: Transform): Readable {
  pipeline(body, coder, () => undefined); // whoever reads the coder is told
  return coder;
}
