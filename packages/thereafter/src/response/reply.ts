import type { Readable } from 'node:stream';

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

/** What goes to the socket. */
export interface Reply {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: string | Uint8Array | Readable | undefined;
  readonly headers: Iterable<readonly [name: string, value: string]> | undefined;
}
