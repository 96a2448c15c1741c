import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { Problem } from './problem.ts';
import { HttpReply, type Reply } from './reply.ts';
import type { Serialiser } from './serialise.ts';

/** What a route decides about its replies. */
export interface ReplyStyle {
  readonly status: number;
  readonly serialise: Serialiser;
}

const JSON_TYPE = 'application/json';
const BINARY_TYPE = 'application/octet-stream';

/**
 * The one place where a returned value becomes a reply: `undefined` is 204, text and bytes are sent as
 * they are, streams are piped, an async iterable becomes JSON lines, everything else JSON.
 */
export function toReply(value: unknown, style: ReplyStyle): Reply {
  if (value instanceof HttpReply) {
    const reply = toReply(value.value, { ...style, status: value.status ?? style.status });
    return { ...reply, headers: Object.entries<string>(value.headers) };
  }
  const { status } = style;
  if (value === undefined) {
    return {
      status: status === 200 ? 204 : status,
      contentType: undefined,
      body: undefined,
      headers: undefined,
    };
  }
  if (typeof value === 'string') return withBody(status, 'text/plain; charset=utf-8', value);
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Uint8Array) return withBody(status, BINARY_TYPE, value);
    if (value instanceof Response) return fromResponse(value);
    if (value instanceof Readable) return withBody(status, BINARY_TYPE, value);
    if (value instanceof ReadableStream) {
      return withBody(status, BINARY_TYPE, Readable.fromWeb(value as NodeReadableStream));
    }
    if (Symbol.asyncIterator in value) {
      const lines = jsonLines(value as AsyncIterable<unknown>, style.serialise);
      return withBody(status, 'application/jsonl', Readable.from(lines));
    }
  }
  return withBody(status, JSON_TYPE, style.serialise(value));
}

/**
 * The one place where a thrown value becomes a reply. What a client may see is decided here: a
 * problem's detail below 500, and nothing of any other error.
 *
 * @param requestId - Sent along, so that a user's report can be matched with the log.
 */
export function toProblemReply(thrown: unknown, path: string, requestId: string): Reply {
  const problem = thrown instanceof Problem ? thrown : new Problem();
  const { type, title, status, extension, message, headers } = problem;
  const body = {
    type,
    title,
    status,
    detail:
      status === 500 ? 'Something went wrong here. It has been logged.' : message || undefined,
    instance: path,
    requestId,
    ...extension,
  };
  return {
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify(body),
    headers: Object.entries(headers),
  };
}

function withBody(status: number, contentType: string, body: NonNullable<Reply['body']>): Reply {
  return { status, contentType, body, headers: undefined };
}

function fromResponse(response: Response): Reply {
  const body = response.body
    ? Readable.fromWeb(response.body as NodeReadableStream) // the same class under another name
    : undefined;
  return { status: response.status, contentType: undefined, body, headers: response.headers };
}

async function* jsonLines(
  values: AsyncIterable<unknown>,
  serialise: Serialiser,
): AsyncGenerator<string, void> {
  for await (const value of values) yield `${serialise(value)}\n`;
}
