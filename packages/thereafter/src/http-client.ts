import { markInjectable, ThereafterError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import type { Agent, Dispatcher, RequestInit, Response } from 'undici';

/** How a client asks: where, with what, and for how long. */
export interface HttpClientOptions {
  /** Longest time from the request to the end of the answer; default `'30s'`. */
  readonly timeout?: Duration;
  /**
   * What sends the requests, such as undici's `MockAgent` in a test. It stays the caller's: the client
   * does not close it. Default: a pool of its own.
   */
  readonly dispatcher?: Dispatcher;
}

/** What is sent besides method and path. */
export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: RequestInit['body'];
  /** Gives up earlier than the timeout. */
  readonly signal?: AbortSignal;
  /** Default: the client's. */
  readonly timeout?: Duration;
}

/** Another service did not answer as it should. */
export class UpstreamError extends ThereafterError {
  readonly code: 'UPSTREAM_STATUS' | 'UPSTREAM_BODY';
  readonly url: string;
  readonly status: number;

  constructor(
    code: UpstreamError['code'],
    { url, status }: { readonly url: string; readonly status: number },
    message: string,
  ) {
    super(message);
    this.code = code;
    this.url = url;
    this.status = status;
  }
}

const CONNECT_TIMEOUT_MS = 5000;

/**
 * Asks other services over HTTP: pooled connections, a timeout by default, closed with the app. Ask for
 * it by its class. A test replaces what sends:
 * `t.override(HttpClient, new HttpClient({ dispatcher: mockAgent }))`.
 */
export class HttpClient implements AsyncDisposable {
  readonly #timeout: Duration;
  readonly #given: Dispatcher | undefined;
  /** Made with the first request. */
  #own: Agent | undefined;

  constructor(options: HttpClientOptions = {}) {
    this.#timeout = options.timeout ?? '30s';
    this.#given = options.dispatcher;
  }

  /**
   * Sends a request. Any status is an answer; redirects are followed.
   *
   * @throws {DOMException} `TimeoutError` after the timeout, while the body is read too.
   * @throws {TypeError} When the service cannot be reached.
   */
  async request(method: string, url: string | URL, options: HttpRequest = {}): Promise<Response> {
    const { headers = {}, json, body, signal, timeout = this.#timeout } = options;
    const timer = AbortSignal.timeout(toMilliseconds(timeout));
    // A fifth of the start of an app, of which most ask nobody.
    const undici = await import('undici');
    return undici.fetch(url, {
      method,
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      signal: signal ? AbortSignal.any([signal, timer]) : timer,
      dispatcher: this.#given ?? this.#pool(undici),
    });
  }

  #pool({ Agent: Pool }: typeof import('undici')): Agent {
    this.#own ??= new Pool({ connect: { timeout: CONNECT_TIMEOUT_MS } });
    return this.#own;
  }

  get(url: string | URL, options?: HttpRequest): Promise<Response> {
    return this.request('GET', url, options);
  }

  post(url: string | URL, options?: HttpRequest): Promise<Response> {
    return this.request('POST', url, options);
  }

  /**
   * Gets JSON, and checks it if there is a schema.
   *
   * @throws {UpstreamError} `UPSTREAM_STATUS` for a status that is not 2xx, `UPSTREAM_BODY` for what is
   *   not JSON or does not fit the schema.
   */
  json(url: string | URL, options?: HttpRequest): Promise<unknown>;
  json<S extends TSchema>(
    url: string | URL,
    options: HttpRequest & { readonly schema: S },
  ): Promise<Static<S>>;
  async json(
    url: string | URL,
    { schema, ...options }: HttpRequest & { readonly schema?: TSchema } = {},
  ): Promise<unknown> {
    const response = await this.get(url, {
      ...options,
      headers: { accept: 'application/json', ...options.headers },
    });
    const from = { url: response.url || String(url), status: response.status };
    const text = await response.text();
    if (!response.ok) {
      throw new UpstreamError(
        'UPSTREAM_STATUS',
        from,
        `${from.url} answered ${from.status}, and 2xx was wanted.`,
      );
    }
    const value = parse(text, from);
    if (schema) assertFits(value, schema, from);
    return value;
  }

  /** Ends its connections; requests under way fail. A dispatcher that it was given stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#own?.destroy();
  }
}

markInjectable(HttpClient, 'singleton');

type Answered = { readonly url: string; readonly status: number };

function parse(text: string, from: Answered): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UpstreamError('UPSTREAM_BODY', from, `${from.url} answered with what is not JSON.`);
  }
}

const validators = new WeakMap<TSchema, ReturnType<typeof Compile>>();

function assertFits(value: unknown, schema: TSchema, from: Answered): void {
  const validator = validators.get(schema) ?? Compile(schema);
  validators.set(schema, validator);
  if (validator.Check(value)) return;
  const faults = validator
    .Errors(value)
    .map((fault) => `${fault.instancePath || '/'} ${fault.message}`);
  throw new UpstreamError(
    'UPSTREAM_BODY',
    from,
    `${from.url} answered with JSON that does not fit: ${faults.join('; ')}.`,
  );
}
