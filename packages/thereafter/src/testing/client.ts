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
  request: TestRequest,
): Promise<TestResponse> {
  const { type, content } = toBody(request);
  const response = await dispatcher.request({
    origin,
    method: method as Dispatcher.HttpMethod, // undici takes any token
    path,
    headers: { ...(type !== undefined && { 'content-type': type }), ...request.headers },
    body: content,
    ...(request.signal && { signal: request.signal }),
  });
  const fields = Object.entries(response.headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((one): [string, string] => [name, one]),
  );
  const hasBody = !BODYLESS.has(response.statusCode) && method !== 'HEAD';
  if (!hasBody) await response.body.dump();
  const stream = hasBody ? (Readable.toWeb(response.body) as ReadableStream) : null;
  return new Response(stream as never, { status: response.statusCode, headers: fields });
}

/** What is sent, and as what. */
function toBody({ json, body }: TestRequest): {
  readonly type?: string;
  readonly content: string | Uint8Array | Readable | null;
} {
  if (json !== undefined) return { type: 'application/json', content: JSON.stringify(json) };
  if (!(body instanceof FormData)) return { content: body ?? null };
  // Node's, which is another class to the undici that sends it.
  const form = new Response(body);
  return {
    type: form.headers.get('content-type')!, // with the boundary
    content: Readable.fromWeb(form.body as ReadableStream),
  };
}
