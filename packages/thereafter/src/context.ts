import type { Scope, Failure } from '@thereafter/di';
import {
  BackgroundTasks,
  type Logger,
  type Outcome,
  type TaskHost,
  type TaskQueue,
} from '@thereafter/tasks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie } from 'cookie';
import { nodeCrypto } from './node-modules.ts';
import type { CompiledApp } from './compile.ts';
import type { CompiledRoute } from './compile-route.ts';
import { parsePairs, type Pairs } from './handler/pairs.ts';
import type { FormBody } from './handler/form-body.ts';
import type { AppLimits } from './limits.ts';
import type { InputIssue } from './response/problem.ts';
import { streamBody } from './socket/body.ts';
import { clientAddress } from './socket/client-address.ts';

/** One request and its answer: what is carried from the socket to the last task. */
export class Context implements TaskHost {
  /** Path parameters, decoded. */
  params: Readonly<Record<string, string>> = NO_PARAMS;
  /** @internal What is wrong with the input, as far as it has been read. */
  issues: InputIssue[] | undefined = undefined;
  /** @internal The raw query string. */
  rawQuery = '';
  /** @internal The route, once it is found. */
  compiledRoute: CompiledRoute | undefined = undefined;
  /** @internal The body, once somebody has asked for its bytes. */
  bodyBytes: Promise<Buffer> | undefined = undefined;
  /** @internal The body, once somebody has asked for it as a form. */
  formBody: Promise<FormBody> | undefined = undefined;
  /** @internal The life of what is made for this request, if anything is. */
  scope: Scope | undefined = undefined;
  /** @internal What the handler, or something before it, threw. */
  failure: Failure | undefined = undefined;
  /** @internal Whether a streamed body broke half-way. */
  hasBrokenBody = false;
  /** @internal Whether the handler has settled and its reply is written. */
  isAnswered = false;

  /** @internal The request of Node behind this one. */
  readonly req: IncomingMessage;
  /** @internal The response of Node behind this one. */
  readonly res: ServerResponse;
  readonly #app: CompiledApp;
  #isEndExpected = false;
  #outcome: Outcome | undefined = undefined;
  #isBodyTaken = false;
  #hasEnded = false;
  #endings: (() => Promise<void>)[] | undefined;
  #id: string | undefined;
  #url: URL | undefined;
  #request: Request | undefined;
  #query: Pairs | undefined;
  #cookies: Readonly<Record<string, string | undefined>> | undefined;
  #controller: AbortController | undefined;
  #log: Logger | undefined;
  #queue: TaskQueue | undefined;
  #tasks: BackgroundTasks | undefined;

  constructor(app: CompiledApp, req: IncomingMessage, res: ServerResponse) {
    this.#app = app;
    this.req = req;
    this.res = res;
  }

  /** Names the request in logs and problems. */
  get id(): string {
    return (this.#id ??= nodeCrypto().randomUUID());
  }

  /** @internal From the middleware that takes over the id of a proxy. */
  set id(id: string) {
    this.#id = id;
    this.#log = undefined;
  }

  /** The pattern of the route, e.g. `/users/:id`; undefined before one is found. */
  get route(): string | undefined {
    return this.compiledRoute?.pattern;
  }

  get method(): string {
    return this.req.method!; // always set on a server's request
  }

  /**
   * The request's URL. Host and scheme are what the client claims; a host that makes no URL is replaced
   * by `localhost`.
   */
  get url(): URL {
    return (this.#url ??= this.#toUrl());
  }

  #toUrl(): URL {
    const isPath = this.target.startsWith('/');
    // Put together, since resolved against the host `//evil.example` would be another host.
    const path = isPath ? this.target : '/';
    return (
      (isPath ? null : URL.parse(this.target)) ??
      URL.parse(`http://${this.req.headers.host ?? 'localhost'}${path}`) ??
      new URL(`http://localhost${path}`) // a path makes no URL fail
    );
  }

  /** @internal The request target as it came, query string included. */
  get target(): string {
    return this.req.url!; // always set on a server's request
  }

  /** @internal The request target without its query string, as it came. */
  get path(): string {
    const end = this.target.indexOf('?');
    return end === -1 ? this.target : this.target.slice(0, end);
  }

  /**
   * The address of who asks: that of the connection, or what the proxies say that `trustProxy` of the
   * app trusts. Empty when the connection has ended.
   */
  get clientAddress(): string {
    return clientAddress(this.req, this.#app.trustsProxy);
  }

  /** Whether the app is closing: it finishes what it has, and takes no more connections. */
  get isClosing(): boolean {
    return this.stopping.aborted;
  }

  /**
   * The query string, taken apart; a repeated key gives an array.
   *
   * @throws {BadRequest} When its percent-encoding is broken or it has too many pairs.
   */
  get query(): Pairs {
    return (this.#query ??= parsePairs(this.rawQuery, this.limits.maxQueryPairs, 'query string'));
  }

  /** The cookies, decoded. Of two with one name the first counts, which is the more specific one. */
  get cookies(): Readonly<Record<string, string | undefined>> {
    return (this.#cookies ??= parseCookie(this.req.headers.cookie ?? ''));
  }

  /** @internal */
  get limits(): AppLimits {
    return this.#app.limits;
  }

  /** The request's headers, names in lower case. */
  get headers(): IncomingMessage['headers'] {
    return this.req.headers;
  }

  /** The request as the web platform knows it. Its body can be read once, here or as an input. */
  get request(): Request {
    return (this.#request ??= this.#toRequest());
  }

  #toRequest(): Request {
    const headers = new Headers();
    for (const [name, value] of Object.entries(this.req.headersDistinct)) {
      for (const part of value ?? []) headers.append(name, part);
    }
    const hasBody = this.method !== 'GET' && this.method !== 'HEAD';
    return new Request(this.url, {
      method: this.method,
      headers,
      signal: this.signal,
      ...(hasBody && {
        body: ReadableStream.from(streamBody(this, this.limits.maxBodyBytes)),
        duplex: 'half',
      }),
    } as RequestInit); // `duplex` is missing from the DOM's type
  }

  /**
   * @internal Says that somebody reads the body now.
   * @throws {TypeError} When it has been read already: there is nothing left.
   */
  takeBody(): void {
    if (this.#isBodyTaken) throw new TypeError('The body has been read before, in another form.');
    this.#isBodyTaken = true;
  }

  /**
   * @internal Runs something when the background tasks of this request are done, however they end; at
   * once, if they are.
   */
  atEnd(run: () => Promise<void>): void {
    if (this.#hasEnded) return void this.#runEnding(run);
    (this.#endings ??= []).push(run);
    this.expectEnd();
  }

  /** @internal Whether `atEnd` was given something. */
  get hasEndings(): boolean {
    return this.#endings !== undefined;
  }

  /** @internal Runs what `atEnd` was given; from now on, that is run at once. */
  runEndings(): Promise<void> | undefined {
    this.#hasEnded = true;
    return this.#endings && this.#runAll(this.#endings);
  }

  async #runAll(endings: readonly (() => Promise<void>)[]): Promise<void> {
    for (const run of endings) await this.#runEnding(run);
  }

  async #runEnding(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.log.error({ err: error, path: this.path }, 'clean-up after a request failed');
    }
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
    if (name.toLowerCase() === 'set-cookie') this.res.appendHeader(name, value);
    else this.res.setHeader(name, value);
  }

  /** The background tasks of this request. */
  get tasks(): BackgroundTasks {
    return (this.#tasks ??= new BackgroundTasks((this.#queue = this.#newQueue())));
  }

  #newQueue(): TaskQueue {
    const { runner } = this.#app;
    const queue = runner.queue(this);
    // Asked for so late that what releases the queue of a request has passed.
    if (this.isOver && this.isAnswered) queue.release();
    return queue;
  }

  /** @internal Lets go of a body that was read into memory. */
  forgetBody(): void {
    this.bodyBytes = undefined;
    this.formBody = undefined;
  }

  /** @internal The tasks, if somebody asked for them. */
  get queue(): TaskQueue | undefined {
    return this.#queue;
  }

  /** How the response ended: `sent`, `aborted` by the client, or `failed`; undefined until then. */
  get outcome(): Outcome | undefined {
    if (this.isAnswered) this.expectEnd(); // nobody may have asked so far
    return this.#outcome;
  }

  /** @internal Whether the response is known to be over. */
  get isOver(): boolean {
    return this.#outcome !== undefined;
  }

  /** @internal From now on somebody waits for the end of the response. */
  expectEnd(): void {
    if (this.#isEndExpected) return;
    this.#isEndExpected = true;
    this.#app.watchEnd(this);
  }

  /** @internal The response is over. */
  end(outcome: Outcome): void {
    this.#outcome = outcome;
    if (outcome !== 'sent') this.#controller?.abort(new Error('the client left'));
  }
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({ __proto__: null }) as never;
