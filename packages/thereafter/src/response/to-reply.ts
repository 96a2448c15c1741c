import { TasksFullError } from '@thereafter/tasks';
import { Readable } from 'node:stream';
import type { ReadableStream as NodeReadableStream } from 'node:stream/web';
import { Busy, Problem } from './problem.ts';
import { HttpReply, Reply } from './reply.ts';
import type { Serialiser } from './serialise.ts';

/** What a route decides about its replies. */
export interface ReplyStyle {
  readonly status: number;
  readonly serialise: Serialiser;
}

const BINARY_TYPE = 'application/octet-stream';

/**
 * The one place where a returned value becomes a reply: `undefined` is 204, text and bytes are sent as
 * they are, streams are piped, an async iterable becomes JSON lines, everything else JSON.
 */
export function toReply(value: unknown, style: ReplyStyle): Reply {
  const { status } = style;
  if (value === undefined) return new Reply(status === 200 ? 204 : status);
  if (typeof value === 'string') return new Reply(status, 'text/plain; charset=utf-8', value);
  if (typeof value === 'object' && value !== null) {
    if (value instanceof Reply) return value;
    if (value instanceof HttpReply) return fromHttpReply(value, style);
    if (value instanceof Uint8Array) return new Reply(status, BINARY_TYPE, value);
    if (value instanceof Response) return fromResponse(value);
    if (value instanceof Readable) return new Reply(status, BINARY_TYPE, value);
    if (value instanceof ReadableStream) {
      return new Reply(status, BINARY_TYPE, Readable.fromWeb(value as NodeReadableStream));
    }
    if (Symbol.asyncIterator in value) {
      const lines = jsonLines(value as AsyncIterable<unknown>, style.serialise);
      return new Reply(status, 'application/jsonl', Readable.from(lines));
    }
  }
  return new Reply(status, 'application/json', style.serialise(value));
}

/**
 * The one place where a thrown value becomes a reply. What a client may see is decided here: a
 * problem's detail below 500, and nothing of any other error.
 *
 * @param requestId - Sent along, so that a user's report can be matched with the log.
 */
export function toProblemReply(thrown: unknown, path: string, requestId: string): Reply {
  const problem = toProblem(thrown);
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
  return new Reply(
    status,
    'application/problem+json',
    JSON.stringify(body),
    new Headers(headers as Record<string, string>), // `readonly` is all that differs
  );
}

function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof TasksFullError) return new Busy(thrown.retryAfterSeconds);
  return new Problem();
}

function fromHttpReply({ value, status, headers }: HttpReply<unknown>, style: ReplyStyle): Reply {
  const reply = toReply(value, { ...style, status: status ?? style.status });
  for (const [name, header] of Object.entries(headers)) reply.headers.set(name, header);
  return reply;
}

function fromResponse({ status, body, headers }: Response): Reply {
  const stream = body ? Readable.fromWeb(body as NodeReadableStream) : undefined; // the same class under another name
  return new Reply(status, undefined, stream, headers);
}

async function* jsonLines(
  values: AsyncIterable<unknown>,
  serialise: Serialiser,
): AsyncGenerator<string, void> {
  for await (const value of values) yield `${serialise(value)}\n`;
}
