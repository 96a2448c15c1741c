import type { BackgroundTasks, Logger, Outcome } from '@thereafter/tasks';
import { parseCookie } from 'cookie';
import type { IncomingMessage } from 'node:http';
import type { Exchange } from './exchange.ts';
import { parsePairs, type Pairs } from './handler/pairs.ts';
import { streamBody } from './socket/body.ts';
import { askedOf } from './socket/forwarded.ts';

/** The exchange behind a context. Set by its class, which alone can reach it. */
export let exchangeOf: (ctx: Context) => Exchange;

/** One request and its answer, as handlers, dependencies and middleware see them. */
export class Context {
  static {
    exchangeOf = (ctx) => ctx.#exchange;
  }

  readonly #exchange: Exchange;
  #url: URL | undefined = undefined;
  #request: Request | undefined = undefined;
  #query: Pairs | undefined = undefined;
  #cookies: Readonly<Record<string, string | undefined>> | undefined = undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Names the request in logs and problems. */
  get id(): string {
    return this.#exchange.id;
  }

  /** The pattern of the route, e.g. `/users/:id`; `undefined` before one is found. */
  get route(): string | undefined {
    return this.#exchange.route?.pattern;
  }

  /** The method, in capital letters as it came. */
  get method(): string {
    return this.#exchange.method;
  }

  /**
   * The request's URL: the scheme of the connection and the host that the client claims, or what the proxies
   * say that `trustProxy` of the app trusts. A host that makes no URL is replaced by `localhost`.
   */
  get url(): URL {
    return (this.#url ??= toUrl(this.#exchange));
  }

  /** The path of the request as it came: percent-encoded, and without the query string. */
  get path(): string {
    return this.#exchange.path;
  }

  /** Path parameters, decoded; empty when no route has the path. */
  get params(): Readonly<Record<string, string>> {
    return this.#exchange.params;
  }

  /**
   * The query string, taken apart; a repeated key gives an array.
   *
   * @throws {BadRequest} When its percent-encoding is broken or it has too many pairs.
   */
  get query(): Pairs {
    const { rawQuery, app } = this.#exchange;
    return (this.#query ??= parsePairs(rawQuery, app.limits.maxQueryPairs, 'query string'));
  }

  /** The request's headers, names in lower case. */
  get headers(): IncomingMessage['headers'] {
    return this.#exchange.req.headers;
  }

  /** The cookies, decoded. Of two with one name the first counts, which is the more specific one. */
  get cookies(): Readonly<Record<string, string | undefined>> {
    return (this.#cookies ??= parseCookie(this.headers.cookie ?? ''));
  }

  /** The request as the web platform knows it. Its body can be read once, here or as an input. */
  get request(): Request {
    return (this.#request ??= this.#toRequest());
  }

  #toRequest(): Request {
    const { req, app } = this.#exchange;
    const headers = new Headers();
    for (const [name, value] of Object.entries(req.headersDistinct)) {
      for (const part of value ?? []) headers.append(name, part);
    }
    const hasBody = this.method !== 'GET' && this.method !== 'HEAD';
    return new Request(this.url, {
      method: this.method,
      headers,
      signal: this.signal,
      ...(hasBody && {
        body: ReadableStream.from(streamBody(this.#exchange, app.limits.maxBodyBytes)),
        duplex: 'half',
      }),
    } as RequestInit); // `duplex` is missing from the DOM's type
  }

  /**
   * The address of who asks: that of the connection, or what the proxies say that `trustProxy` of the
   * app trusts. Empty when the connection has ended.
   */
  get clientAddress(): string {
    const { req, app } = this.#exchange;
    return askedOf(req, app.trustsProxy).address;
  }

  /** Whether the app is closing: it finishes what it has, and takes no more connections. */
  get isClosing(): boolean {
    return this.#exchange.app.stopping.aborted;
  }

  /**
   * Aborts when the client leaves before the response is complete, or the handler takes longer than its
   * `handlerTimeout`; not on a normal end.
   */
  get signal(): AbortSignal {
    return this.#exchange.abortSignal();
  }

  /** The app's log, with the id of this request on each line. */
  get log(): Logger {
    return this.#exchange.log;
  }

  /**
   * Sets a header of the response; each `set-cookie` is added to those before.
   *
   * @throws {TypeError} For a name or value that HTTP does not allow, such as one with a line break.
   */
  header(name: string, value: string): void {
    const { res } = this.#exchange;
    if (name.toLowerCase() === 'set-cookie') res.appendHeader(name, value);
    else res.setHeader(name, value);
  }

  /** The background tasks of this request. */
  get tasks(): BackgroundTasks {
    return this.#exchange.openTasks();
  }

  /** How the response ended: `sent`, `aborted` by the client, or `failed`; `undefined` until then. */
  get outcome(): Outcome | undefined {
    return this.#exchange.outcome;
  }
}

function toUrl({ target, req, app }: Exchange): URL {
  const { scheme, host } = askedOf(req, app.trustsProxy);
  // Put together, since resolved against the host `//evil.example` would be another host.
  const path = target.startsWith('/') ? target : '/';
  return URL.parse(`${scheme}://${host}${path}`) ?? new URL(`${scheme}://localhost${path}`); // a path makes no URL fail
}
