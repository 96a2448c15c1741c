import type { IncomingMessage } from 'node:http';
import { pipeline, Readable, type Duplex } from 'node:stream';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import type { Exchange } from '../exchange.ts';
import {
  BadRequest,
  ContentTooLarge,
  UnsupportedMediaType,
  type Problem,
} from '../response/problem.ts';
import { connectionOf, type Connection, type Upload } from './connection.ts';

/** Output below this may have any compression ratio: small bodies of one letter are harmless. */
const RATIO_FREE_BYTES = 64 * 1024;

/**
 * Reads a request body into memory. A second reader gets what the first one got.
 *
 * @param maxBytes - Refused from `Content-Length` before reading, and while reading otherwise; default
 *   `limits.maxBodyBytes`.
 * @throws {ContentTooLarge} Beyond `maxBytes`.
 * @throws {UnsupportedMediaType} When it is compressed, and the app has not opted in.
 * @throws {BadRequest} When the client stops half-way.
 * @throws {RequestTimeout} When it comes too slowly.
 */
export function readBody(
  exchange: Exchange,
  maxBytes: number = exchange.app.limits.maxBodyBytes,
): Promise<Buffer> {
  if (!exchange.bodyBytes) return (exchange.bodyBytes = read(exchange, maxBytes));
  return exchange.bodyBytes.then((bytes) => {
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  });
}

function read(exchange: Exchange, maxBytes: number): Promise<Buffer> {
  try {
    const coding = prepare(exchange, maxBytes);
    if (coding === undefined) return gather(exchange.req, maxBytes);
    return collect(inflate(exchange, coding, maxBytes));
  } catch (error) {
    return Promise.reject(error as Problem); // what prepare throws; a second reader is told the same
  }
}

function gather(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (req.readableEnded) return Promise.resolve(Buffer.alloc(0)); // Node makes no stream for no body
  if (req.destroyed) return Promise.reject(incomplete());
  return new Promise((resolve, reject) => void new Gathering(req, maxBytes, resolve, reject));
}

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of pieces) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * Reads a request body piece by piece, as fast as the pieces are asked for. What it throws is what
 * `readBody` throws.
 */
export async function* streamBody(
  exchange: Exchange,
  maxBytes: number = exchange.app.limits.maxBodyBytes,
): AsyncGenerator<Buffer, void> {
  const coding = prepare(exchange, maxBytes);
  if (coding !== undefined) yield* inflate(exchange, coding, maxBytes);
  else yield* pieces(exchange.req, maxBytes);
}

/** As `streamBody`, and as it came: what is compressed is neither refused nor decoded. */
export async function* streamBodyAsItCame(
  exchange: Exchange,
  maxBytes: number,
): AsyncGenerator<Buffer, void> {
  exchange.takeBody();
  admit(exchange, maxBytes);
  yield* pieces(exchange.req, maxBytes);
}

/** Refuses what can be refused before reading, and lets the client go on. @returns How it is compressed. */
function prepare(exchange: Exchange, maxBytes: number): string | undefined {
  exchange.takeBody();
  const { 'content-encoding': coding } = exchange.req.headers;
  const name = coding === undefined ? 'identity' : coding.toLowerCase();
  const isPlain = name === 'identity';
  if (!isPlain && !(exchange.app.limits.compressedBodies && Object.hasOwn(DECODERS, name))) {
    throw new UnsupportedMediaType(`A body with content-encoding ${coding} is not taken.`);
  }
  admit(exchange, maxBytes);
  return isPlain ? undefined : name;
}

function admit({ req, res }: Exchange, maxBytes: number): void {
  const { 'content-length': length, expect } = req.headers;
  if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
  if (expect !== undefined && req.httpVersionMinor > 0) res.writeContinue(); // HTTP/1.0 knows none
}

/** Takes a plain body from its events, without the cost of a stream around it. */
class Gathering implements Upload {
  seen: Upload['seen'] = undefined;
  readonly #req: IncomingMessage;
  readonly #maxBytes: number;
  readonly #connection: Connection | undefined;
  #chunks: Buffer[] = [];
  #length = 0;
  #isDone = false;
  #resolve: (bytes: Buffer) => void;
  #reject: (problem: Problem) => void;

  /** Gives the body, or a problem, to one of the two. */
  constructor(
    req: IncomingMessage,
    maxBytes: number,
    resolve: (bytes: Buffer) => void,
    reject: (problem: Problem) => void,
  ) {
    this.#req = req;
    this.#maxBytes = maxBytes;
    this.#connection = connectionOf(req.socket);
    this.#resolve = resolve;
    this.#reject = reject;
    req
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#finish())
      .on('error', () => this.fail(incomplete()));
    this.#connection?.watch(req, this);
  }

  #take(chunk: Buffer): void {
    if (this.#isDone) return;
    this.#length += chunk.length;
    if (this.#length > this.#maxBytes) this.fail(tooLarge(this.#maxBytes));
    else this.#chunks.push(chunk);
  }

  #finish(): void {
    const chunks = this.#chunks;
    this.#resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, this.#length));
    this.#end();
  }

  fail(problem: Problem): void {
    if (this.#isDone) return;
    this.#req.pause();
    this.#reject(problem);
    this.#end();
  }

  /** Background tasks keep the request, and with it what listens to it: the body must not be there. */
  #end(): void {
    this.#connection?.unwatch(this);
    this.#isDone = true;
    this.#chunks = [];
    this.#resolve = this.#reject = IGNORE;
  }
}

const IGNORE = (): void => undefined;

/** A plain body, piece by piece. Unlike Node's own iterator it leaves the connection open. */
async function* pieces(req: IncomingMessage, maxBytes: number): AsyncGenerator<Buffer, void> {
  if (req.destroyed && !req.readableEnded) throw incomplete();
  let length = 0;
  let failure: Problem | undefined;
  let wake = (): void => undefined;
  const notice = (): void => wake();
  const upload: Upload = {
    seen: undefined,
    fail(problem) {
      failure ??= problem;
      wake();
    },
  };
  const abort = (): void => upload.fail(incomplete());
  req.on('readable', notice).on('end', notice).on('error', abort);
  const connection = connectionOf(req.socket);
  connection?.watch(req, upload);
  try {
    for (;;) {
      if (failure) throw failure;
      const chunk = req.read() as Buffer | null; // no encoding is set
      if (chunk !== null) {
        length += chunk.length;
        if (length > maxBytes) throw tooLarge(maxBytes);
        yield chunk;
      } else if (req.readableEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    connection?.unwatch(upload);
    req.off('readable', notice).off('end', notice).off('error', abort);
  }
}

const DECODERS: Readonly<Record<string, () => Duplex>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Bounds both what goes in and what comes out. */
async function* inflate(
  exchange: Exchange,
  coding: string,
  maxBytes: number,
): AsyncGenerator<Buffer, void> {
  let received = 0;
  let inflated = 0;
  async function* compressed(): AsyncGenerator<Buffer, void> {
    for await (const piece of pieces(exchange.req, maxBytes)) {
      received += piece.length;
      yield piece;
    }
  }
  const output = pipeline(Readable.from(compressed()), DECODERS[coding]!(), () => undefined);
  try {
    for await (const chunk of output as AsyncIterable<Buffer>) {
      inflated += chunk.length;
      if (inflated > maxBytes) throw tooLarge(maxBytes);
      if (
        inflated > RATIO_FREE_BYTES &&
        inflated > received * exchange.app.limits.maxCompressionRatio
      ) {
        throw new ContentTooLarge('The body is compressed too much.');
      }
      yield chunk;
    }
  } catch (error) {
    if (isZlibError(error)) throw new BadRequest(`The body is not valid ${coding}.`);
    throw error;
  }
}

function isZlibError(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(?:Z_|ERR_|ZSTD_)/.test(code);
}

function tooLarge(maxBytes: number): Problem {
  return new ContentTooLarge(`The body may have at most ${maxBytes} bytes.`);
}

function incomplete(): Problem {
  return new BadRequest('The body ended before it was complete.');
}
