import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import { isThenable, toError } from '../untrusted.ts';
import { http } from '../node-modules.ts';
import { removeHopByHop } from './hop-by-hop.ts';
import { HttpReply, Reply, ReplySource, type ReplyStyle } from './reply.ts';
import { bodyOfResponse, fromWebStream } from './web-body.ts';

const BINARY_TYPE = 'application/octet-stream';

/**
 * The one place where a returned value becomes a reply: `undefined` is 204, text and bytes are sent as
 * they are, streams are piped, an async iterable becomes JSON lines, everything else JSON.
 */
export function toReply(value: unknown, style: ReplyStyle, ctx: Context): Reply | Promise<Reply> {
  const { status } = style;
  if (value === undefined) return new Reply(status === 200 ? 204 : status);
  if (typeof value === 'string') return new Reply(status, 'text/plain; charset=utf-8', value);
  if (typeof value === 'object' && value !== null && !isRecord(value)) {
    const reply = fromInstance(value, style, ctx);
    if (reply) return reply;
  }
  return new Reply(status, 'application/json', style.serialise(value, status));
}

/** Most values are plain: an object literal or a list, and nothing of what is sent in another way. */
function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === Array.prototype) &&
    !(Symbol.asyncIterator in value)
  );
}

/** What is sent in another way than as JSON; `undefined` for objects of other classes. */
function fromInstance(
  value: object,
  style: ReplyStyle,
  ctx: Context,
): Reply | Promise<Reply> | undefined {
  const { status } = style;
  if (value instanceof Reply) return value;
  if (value instanceof HttpReply) return fromHttpReply(value, style, ctx);
  if (value instanceof ReplySource) return value.toReply(ctx, style);
  if (value instanceof Uint8Array) return new Reply(status, BINARY_TYPE, value);
  if (value instanceof ArrayBuffer) return new Reply(status, BINARY_TYPE, new Uint8Array(value));
  if (isResponse(value)) return fromResponse(value);
  if (value instanceof Readable) return new Reply(status, BINARY_TYPE, value);
  if (value instanceof ReadableStream) {
    return new Reply(status, BINARY_TYPE, fromWebStream(value));
  }
  if (Symbol.asyncIterator in value) {
    const lines = jsonLines(value as AsyncIterable<unknown>, style);
    return new Reply(status, 'application/jsonl', Readable.from(lines, { objectMode: false }));
  }
  return undefined;
}

/** Its tag is looked at, since the classes are many: that of Node, and that of each undici. */
export function isResponse(value: unknown): value is Response {
  const response = Object(value) as { [Symbol.toStringTag]?: unknown; arrayBuffer?: unknown };
  return response[Symbol.toStringTag] === 'Response' && typeof response.arrayBuffer === 'function';
}

function fromHttpReply(
  { value, status, headers }: HttpReply<unknown>,
  style: ReplyStyle,
  ctx: Context,
): Reply | Promise<Reply> {
  const add = (reply: Reply): Reply => {
    for (const [name, header] of Object.entries(headers)) setHeader(reply.headers, name, header);
    return reply;
  };
  const reply = toReply(value, { ...style, status: status ?? style.status }, ctx);
  return isThenable(reply) ? reply.then(add) : add(reply);
}

/** Refuses what would split the response before `Headers` does, whose message repeats the value. */
function setHeader(headers: Headers, name: string, value: string): void {
  http.validateHeaderName(name);
  http.validateHeaderValue(name, value);
  headers.set(name, value);
}

/**
 * A web `Response` as a reply. The headers are a copy, since middleware may change them.
 *
 * @throws {ResponseBodyError} `RESPONSE_BODY_USED` when its body cannot be sent any more.
 */
export function fromResponse(response: Response): Reply {
  const body = bodyOfResponse(response);
  const headers = new Headers(response.headers);
  if (response.url !== '') describeFetched(headers); // one that a program makes has no URL
  return new Reply(response.status, undefined, body, headers);
}

/** What `fetch` has decoded is not claimed any more: coding, length, and that these are the same bytes. */
function describeFetched(headers: Headers): void {
  removeHopByHop(headers);
  const codings = headers.get('content-encoding')?.toLowerCase().split(',') ?? [];
  if (codings.length === 0 || !codings.every((coding) => DECODED.has(coding.trim()))) return;
  for (const name of ['content-encoding', 'content-length', 'accept-ranges']) headers.delete(name);
  const tag = headers.get('etag');
  if (tag?.startsWith('"')) headers.set('etag', `W/${tag}`);
}

/** What `fetch` decodes. If it does not know one of the codings of a body, it decodes none of them. */
const DECODED = new Set(['gzip', 'x-gzip', 'deflate', 'br']);
if (Number.parseInt(process.versions['undici'] ?? '') >= 7) DECODED.add('zstd');

async function* jsonLines(
  values: AsyncIterable<unknown>,
  { serialise, status }: ReplyStyle,
): AsyncGenerator<string, void> {
  for await (const value of readable(values)) yield `${serialise(value, status)}\n`;
}

/** The same values; what is thrown on the way is an error that a stream can be ended with. */
async function* readable<T>(values: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* values;
  } catch (error) {
    throw toError(error);
  }
}
