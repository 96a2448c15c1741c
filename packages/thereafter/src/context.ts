import type { Scope, Failure } from '@thereafter/di';
import {
  BackgroundTasks,
  type Logger,
  type Outcome,
  type TaskHost,
  type TaskQueue,
} from '@thereafter/tasks';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { CompiledApp } from './compile.ts';
import type { InputIssue } from './response/problem.ts';
import { parse as parseQuery } from 'fast-querystring';

/** One request and its answer: what is carried from the socket to the last task. */
export class Context implements TaskHost {
  /** Path parameters, decoded. */
  params: Readonly<Record<string, string>> = NO_PARAMS;
  /** How the response ended; undefined until then. */
  outcome: Outcome | undefined = undefined;
  /** @internal What is wrong with the input, as far as it has been read. */
  issues: InputIssue[] | undefined = undefined;
  /** @internal The raw query string. */
  rawQuery = '';
  /** @internal The life of what is made for this request, if anything is. */
  scope: Scope | undefined = undefined;
  /** @internal What the handler, or something before it, threw. */
  failure: Failure | undefined = undefined;
  /** @internal Whether a streamed body broke half-way. */
  hasBrokenBody = false;
  /** @internal Whether the handler has settled and its reply is written. */
  isAnswered = false;

  readonly #app: CompiledApp;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  #isEndExpected = false;
  #id: string | undefined;
  #url: URL | undefined;
  #request: Request | undefined;
  #query: Readonly<Record<string, string | string[]>> | undefined;
  #controller: AbortController | undefined;
  #log: Logger | undefined;
  #queue: TaskQueue | undefined;
  #tasks: BackgroundTasks | undefined;

  constructor(app: CompiledApp, req: IncomingMessage, res: ServerResponse) {
    this.#app = app;
    this.#req = req;
    this.#res = res;
  }

  /** Names the request in logs and problems. */
  get id(): string {
    return (this.#id ??= randomUUID());
  }

  get method(): string {
    return this.#req.method!; // always set on a server's request
  }

  /** The request's URL. Host and scheme are what the client claims. */
  get url(): URL {
    return (this.#url ??=
      URL.parse(this.target, `http://${this.#req.headers.host ?? 'localhost'}`) ??
      new URL(this.path, 'http://localhost'));
  }

  /** @internal The request target as it came, query string included. */
  get target(): string {
    return this.#req.url!; // always set on a server's request
  }

  /** @internal The request target without its query string, as it came. */
  get path(): string {
    const end = this.target.indexOf('?');
    return end === -1 ? this.target : this.target.slice(0, end);
  }

  /** The query string, taken apart; a repeated key gives an array. */
  get query(): Readonly<Record<string, string | string[]>> {
    return (this.#query ??= parseQuery(this.rawQuery) as Record<string, string | string[]>);
  }

  /** The request's headers, names in lower case. */
  get headers(): IncomingMessage['headers'] {
    return this.#req.headers;
  }

  /** The request as the web platform knows it. Its body can be read once, here or as an input. */
  get request(): Request {
    return (this.#request ??= this.#toRequest());
  }

  #toRequest(): Request {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.#req.headersDistinct)) {
      for (const part of value ?? []) headers.append(name, part);
    }
    const hasBody = this.method !== 'GET' && this.method !== 'HEAD';
    return new Request(this.url, {
      method: this.method,
      headers,
      signal: this.signal,
      ...(hasBody && { body: Readable.toWeb(this.#req) as ReadableStream, duplex: 'half' }),
    } as RequestInit); // `duplex` is missing from the DOM's type
  }

  /** @internal The messages of Node behind this request. */
  get raw(): { readonly req: IncomingMessage; readonly res: ServerResponse } {
    return { req: this.#req, res: this.#res };
  }

  /** Aborts when the client leaves before the response is complete; not on a normal end. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      this.expectEnd();
    }
    return this.#controller.signal;
  }

  /** The app's log, with the id of this request on each line. */
  get log(): Logger {
    return (this.#log ??= this.#app.log.child({ requestId: this.id }));
  }

  /** @internal Aborts when the app stops taking requests. */
  get stopping(): AbortSignal {
    return this.#app.stopping;
  }

  /**
   * Sets a header of the response; each `set-cookie` is added to those before.
   *
   * @throws {TypeError} For a name or value that HTTP does not allow, such as one with a line break.
   */
  header(name: string, value: string): void {
    if (name.toLowerCase() === 'set-cookie') this.#res.appendHeader(name, value);
    else this.#res.setHeader(name, value);
  }

  /** The background tasks of this request. */
  get tasks(): BackgroundTasks {
    return (this.#tasks ??= new BackgroundTasks((this.#queue = this.#app.runner.queue(this))));
  }

  /** @internal The tasks, if somebody asked for them. */
  get queue(): TaskQueue | undefined {
    return this.#queue;
  }

  /** @internal From now on somebody waits for the end of the response. */
  expectEnd(): void {
    if (this.#isEndExpected) return;
    this.#isEndExpected = true;
    this.#app.watchEnd(this);
  }

  /** @internal The response is over. */
  end(outcome: Outcome): void {
    this.outcome = outcome;
    if (outcome !== 'sent') this.#controller?.abort(new Error('the client left'));
  }
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({ __proto__: null }) as never;
