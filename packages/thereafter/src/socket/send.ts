import { ArgumentError, ThereafterError } from '@thereafter/di';
import type { ServerResponse } from 'node:http';
import { pipeline, Transform, type Readable } from 'node:stream';
import { isStream, type Reply } from '../response/reply.ts';
import { ResponseBodyError } from '../response/web-body.ts';
import { closeIfUnread } from './close.ts';

/**
 * Writes a reply. Body and length are left out where HTTP says so: 204, 205, 304, and the body of HEAD.
 * How long a body is, and where it ends, is said here, whatever was said before; only the length of a
 * stream is its maker's to say, and held to.
 *
 * @param onBrokenBody - Called when a streamed body fails half-way. The connection is then cut, since
 *   nothing else tells the client that what it has is not all.
 * @throws {ArgumentError} For a status that ends no request, and a `content-length` that is no number.
 * @throws {ResponseBodyError} `RESPONSE_BODY_USED` for a stream that has been read or let go.
 */
export function send(
  res: ServerResponse,
  reply: Reply,
  onBrokenBody: (error: Error) => void,
): void {
  const { status, body } = reply;
  if (res.headersSent) res.destroy(); // half an answer is out, and this is another one
  if (res.destroyed) return discard(body);
  assertFinal(status);
  if (isStream(body)) assertReadable(body);
  if (reply.hasHeaders) setHeaders(res, reply.headers);
  closeIfUnread(res.req, res);
  if (res.hasHeader('trailer')) res.removeHeader('trailer');
  if (status === 204 || status === 205 || status === 304) {
    for (const name of FRAMING) if (res.hasHeader(name)) res.removeHeader(name);
    res.writeHead(status, status === 205 ? ['content-length', '0'] : []).end();
    return discard(body);
  }
  if (isStream(body)) return sendStream(res, reply, body, onBrokenBody);
  if (res.hasHeader('transfer-encoding')) res.removeHeader('transfer-encoding');
  if (body === undefined) {
    // What HEAD is told is the length of what GET would get, which a handler of its own may know.
    const isKnown = res.req.method === 'HEAD' && declaredLength(res) !== undefined;
    res.writeHead(status, headOf(res, reply, isKnown ? undefined : 0)).end();
    return;
  }
  res.writeHead(status, headOf(res, reply, Buffer.byteLength(body))).end(body);
}

function sendStream(
  res: ServerResponse,
  reply: Reply,
  body: Readable,
  onBrokenBody: (error: Error) => void,
): void {
  const length = declaredLength(res);
  if (res.hasHeader('transfer-encoding')) {
    // Node takes the removal for the wish to end the connection instead.
    if (length === undefined && res.useChunkedEncodingByDefault) {
      res.setHeader('transfer-encoding', 'chunked');
    } else {
      res.removeHeader('transfer-encoding');
    }
  }
  res.writeHead(reply.status, headOf(res, reply));
  if (res.req.method === 'HEAD') {
    res.end();
    return discard(body);
  }
  const onError = (error: NodeJS.ErrnoException): void => {
    // A client that leaves is no fault of the body.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') onBrokenBody(error);
  };
  // What went wrong is said by the last stream before the socket.
  if (length === undefined && !body.readableObjectMode) {
    pipeline(body.once('error', onError), res, () => undefined);
  } else {
    pipeline(body, new Framed(length).once('error', onError), res, () => undefined);
  }
}

/** Of these, those that a body has are told by what is sent of it. */
const FRAMING = ['content-length', 'content-type', 'content-encoding', 'transfer-encoding'];

/** @throws {ArgumentError} For 1xx too: the client would go on waiting for an answer. */
function assertFinal(status: number): void {
  if (Number.isInteger(status) && status >= 200 && status <= 999) return;
  throw new ArgumentError(
    `A response has a status from 200 to 999, and not ${String(status)}, which would be no answer.`,
  );
}

function assertReadable(body: Readable): void {
  if (body.errored) throw body.errored;
  if (!body.destroyed && !body.readableEnded) return;
  throw new ResponseBodyError(
    'The stream that is to be sent has been read or destroyed already. Make a new one for each request.',
  );
}

/**
 * What was said of the length of a body that is still to be read.
 *
 * @throws {ArgumentError} When it is no length.
 */
function declaredLength(res: ServerResponse): number | undefined {
  const declared = res.getHeader('content-length');
  if (declared === undefined) return undefined;
  const length = Number(declared);
  if (/^\d+$/.test(String(declared)) && Number.isSafeInteger(length)) return length;
  throw new ArgumentError('The content-length of a response must be a number of bytes.');
}

/** Passes a body on as long as it is bytes or text, and not longer or shorter than was said. */
class Framed extends Transform {
  readonly #length: number | undefined;
  #sent = 0;

  constructor(length: number | undefined) {
    super({ writableObjectMode: true });
    this.#length = length;
  }

  override _transform(
    chunk: unknown,
    _: BufferEncoding,
    done: (error: Error | null, bytes?: Uint8Array) => void,
  ): void {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) {
      return done(new ArgumentError('A stream that is sent must give bytes or text.'));
    }
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#sent += bytes.length;
    if (this.#length === undefined || this.#sent <= this.#length) return done(null, bytes);
    done(new BodyLengthError(this.#length, `at least ${this.#sent}`));
  }

  override _flush(done: (error?: Error) => void): void {
    const isShort = this.#length !== undefined && this.#sent < this.#length;
    done(isShort ? new BodyLengthError(this.#length, String(this.#sent)) : undefined);
  }
}

/** A streamed body is longer or shorter than its `content-length`. */
class BodyLengthError extends ThereafterError {
  readonly code = 'RESPONSE_LENGTH';

  constructor(declared: number, actual: string) {
    super(
      `The content-length of a response said ${declared} bytes, and its body has ${actual}. Leave the ` +
        'header out unless the length is known.',
    );
  }
}

function setHeaders(res: ServerResponse, headers: Headers): void {
  for (const [name, value] of headers) {
    // What middleware or `ctx.header()` said stays only where several values make sense.
    if (LISTS.has(name)) res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
}

/** Headers of which one more does not contradict another. */
const LISTS = new Set(['set-cookie', 'vary', 'link', 'server-timing', 'www-authenticate']);

/** What goes along with the headers that were set: Node writes a flat list without storing it first. */
function headOf(res: ServerResponse, { type }: Reply, length?: number): string[] {
  const head = length === undefined ? [] : ['content-length', String(length)];
  if (type !== undefined && !res.hasHeader('content-type')) head.push('content-type', type);
  return head;
}

/** Lets go of a body that is not sent. */
export function discard(body: Reply['body']): void {
  if (isStream(body)) body.destroy();
}

/** What a handler may have said of a body that is not sent now. */
const BODY_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-range',
  'cache-control',
  'etag',
  'last-modified',
] as const;

/** Takes back what was said of a body, since another one is sent. */
export function dropBodyHeaders(res: ServerResponse): void {
  if (!res.headersSent) for (const name of BODY_HEADERS) res.removeHeader(name);
}
