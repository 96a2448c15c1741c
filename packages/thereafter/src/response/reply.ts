import type { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { Serialiser } from './serialise.ts';

/** What a route decides about its replies. */
export interface ReplyStyle {
  readonly status: number;
  readonly serialise: Serialiser;
}

/** A returned value that knows itself how to become a reply, such as a file or an event stream. */
export abstract class ReplySource {
  abstract toReply(ctx: Context, style: ReplyStyle): Reply | Promise<Reply>;
}

/** What a `HttpReply` says besides its value. */
export interface ReplyOptions {
  /** Default: the route's `status`, else 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A handler's result with a status or headers of its own. */
export class HttpReply<T> {
  readonly value: T;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(value: T, { status, headers = {} }: ReplyOptions = {}) {
    this.value = value;
    this.status = status;
    this.headers = headers;
  }
}

/** What goes to the socket. Middleware may change it on its way out. */
export class Reply {
  status: number;
  /** The `content-type`, unless `headers` has one. */
  type: string | undefined;
  body: string | Uint8Array | Readable | undefined;
  #headers: Headers | undefined;

  constructor(status: number, type?: string, body?: Reply['body'], headers?: Headers) {
    this.status = status;
    this.type = type;
    this.body = body;
    this.#headers = headers;
    // It may fail before it is sent, while nobody listens to it; `send` looks whether it has.
    if (isStream(body)) body.on('error', () => undefined);
  }

  /** Headers besides those that `ctx.header()` has set; made when they are first asked for. */
  get headers(): Headers {
    return (this.#headers ??= new Headers());
  }

  /** Whether there are any, without making them. */
  get hasHeaders(): boolean {
    return this.#headers !== undefined;
  }
}

/** Whether a body is sent piece by piece. */
export function isStream(body: Reply['body']): body is Readable {
  return typeof body === 'object' && 'pipe' in body;
}
