import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { Dispatcher } from 'undici';

/** What is sent besides method and path. */
export interface TestRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, with its `content-type`. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: string | Uint8Array | Readable | FormData;
  /** Aborting it closes the connection, as a client does that leaves. */
  readonly signal?: AbortSignal;
}

/** A `Response` whose JSON is not checked by the compiler: a test looks at it anyway. */
export interface TestResponse extends Response {
  // oxlint-disable-next-line typescript/no-explicit-any -- as in the DOM's own type
  json(): Promise<any>;
}

/** Statuses that never have a body; `Response` refuses one, even an empty one. */
const BODYLESS = new Set([204, 205, 304]);

/**
 * Sends a request and gives the response as soon as its head is here. Redirects are not followed and
 * nothing is decompressed: what the app answered is what the test sees.
 */
export async function send(
  dispatcher: Dispatcher,
  origin: string,
  method: string,
  path: string,
  { headers = {}, json, body, signal }: TestRequest,
): Promise<TestResponse> {
  const response = await dispatcher.request({
    origin,
    method: method as Dispatcher.HttpMethod, // undici takes any token
    path,
    headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
    body: json === undefined ? ((body ?? null) as Readable | null) : JSON.stringify(json), // one of several kinds
    ...(signal && { signal }),
  });
  const fields = Object.entries(response.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  const hasBody = !BODYLESS.has(response.statusCode) && method !== 'HEAD';
  if (!hasBody) await response.body.dump();
  const stream = hasBody ? (Readable.toWeb(response.body) as ReadableStream) : null;
  return new Response(stream as never, { status: response.statusCode, headers: fields });
}
