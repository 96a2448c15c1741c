import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { exchangeOf, type Context } from '../context.ts';
import type { Exchange } from '../exchange.ts';
import { streamBodyAsItCame } from '../socket/body.ts';
import { removeHopByHop } from './hop-by-hop.ts';
import { BadRequest, Problem } from './problem.ts';
import { Reply } from './reply.ts';

/** How a request is passed on. */
export interface ProxyOptions {
  /** Path and query that the upstream is asked for, after the path of its URL; default those of the request. */
  readonly path?: string;
  /** Headers of the request to set, or to leave out where they are `undefined`, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Whether the header `forwarded` (RFC 7239) is added to as well; default false. */
  readonly forwarded?: boolean;
  /** Bytes of the request's body; default `limits.maxBodyBytes` of the app, beyond it 413. */
  readonly maxBodyBytes?: number;
  /** Longest wait for the answer to begin, then 504, and for each further piece of it; default `'30s'`. */
  readonly timeout?: Duration;
  /** What sends the requests, such as an `Agent` of undici; default a pool that all calls share. */
  readonly dispatcher?: Dispatcher;
}

/** The upstream could not be reached, or broke off before it answered. */
export class BadGateway extends Problem {
  override readonly status = 502;
}

/** The upstream took too long to answer. */
export class GatewayTimeout extends Problem {
  override readonly status = 504;
}

/**
 * Passes a request on to another server, and its answer back: method, path, query, headers and bodies
 * as they came, piece by piece, and nothing decoded. What concerns one connection only is left out both
 * ways (RFC 9110, 7.6.1); `x-forwarded-for`, `-host` and `-proto` are added to. The upstream is let go
 * when the client leaves, and the client's connection is cut when the upstream breaks off half-way.
 *
 * @param upstream - Such as `http://users.internal:8080/v1`. Its path comes before that of the request.
 * @throws {BadGateway} When the upstream does not answer.
 * @throws {GatewayTimeout} When it takes too long.
 * @throws {BadRequest} When the path of the request would lead out of that of the upstream.
 * @throws {ContentTooLarge} When the body of the request is too large.
 */
export async function proxy(
  ctx: Context,
  upstream: string | URL,
  options: ProxyOptions = {},
): Promise<Reply> {
  const exchange = exchangeOf(ctx);
  const { origin, pathname } = new URL(upstream);
  const base = pathname.replace(/\/$/, '');
  const path = base + (options.path ?? targetOf(ctx, exchange));
  if (base !== '' && DOT_SEGMENT.test(path.split('?', 1)[0]!)) {
    throw new BadRequest('The path has a segment of dots.');
  }
  const wait = toMilliseconds(options.timeout ?? '30s');
  const maxBodyBytes = options.maxBodyBytes ?? exchange.app.limits.maxBodyBytes;
  const upload = hasBody(exchange)
    ? Readable.from(streamBodyAsItCame(exchange, maxBodyBytes), { objectMode: false })
    : null;
  let refusal: Problem | undefined;
  upload?.on('error', (error) => {
    if (error instanceof Problem) refusal = error; // else it is the upstream's
  });
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  ctx.signal.addEventListener('abort', leave);
  try {
    const answer = await (options.dispatcher ?? (await sharedPool())).request({
      origin,
      path,
      method: ctx.method as Dispatcher.HttpMethod, // any other is passed on as well
      headers: Object.fromEntries(headersFor(exchange, options)),
      body: upload,
      headersTimeout: wait,
      bodyTimeout: wait,
      signal: leaving.signal,
    });
    return await toReply(answer, ctx.method);
  } catch (error) {
    if (ctx.signal.aborted) return new Reply(CLIENT_CLOSED_REQUEST);
    throw refusal ?? toProblem(error);
  } finally {
    // From here on, whoever sends the body lets go of it.
    ctx.signal.removeEventListener('abort', leave);
  }
}

/** Nobody gets it, and the access log tells it from what went wrong. The number is that of nginx. */
const CLIENT_CLOSED_REQUEST = 499;

/** What a server takes for a step up, or for none. */
const DOT_SEGMENT = /(?:^|[/\\])(?:\.|%2e){1,2}(?:$|[/\\])/i;

/** Path and query as they came; of a target with scheme and host, only these. */
function targetOf(ctx: Context, { target }: Exchange): string {
  if (target.startsWith('/')) return target;
  const { pathname, search } = ctx.url;
  return pathname + search;
}

function hasBody({ req: { headers } }: Exchange): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

function headersFor(exchange: Exchange, options: ProxyOptions): Headers {
  const { req } = exchange;
  const headers = new Headers();
  for (const [name, value] of Object.entries(req.headers)) headers.set(name, String(value));
  removeHopByHop(headers);
  headers.delete('host'); // the upstream's is another one
  headers.delete('expect'); // has been answered here
  if (!hasBody(exchange)) headers.delete('content-length');
  const address = (req.socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
  const proto = 'encrypted' in req.socket ? 'https' : 'http';
  const { host } = req.headers;
  headers.append('x-forwarded-for', address);
  headers.append('x-forwarded-proto', proto);
  if (host !== undefined) headers.append('x-forwarded-host', host);
  if (options.forwarded) {
    const by = address.includes(':') ? `"[${address}]"` : address;
    headers.append('forwarded', `for=${by}${host ? `;host="${host}"` : ''};proto=${proto}`);
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value === undefined) headers.delete(name);
    else headers.set(name, value);
  }
  return headers;
}

async function toReply(answer: Dispatcher.ResponseData, method: string): Promise<Reply> {
  const { statusCode, headers: given, body } = answer;
  const headers = new Headers();
  for (const [name, value] of Object.entries(given)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  removeHopByHop(headers);
  const isEmpty = method === 'HEAD' || statusCode === 204 || statusCode === 304;
  if (isEmpty) await body.dump();
  return new Reply(statusCode, undefined, isEmpty ? undefined : body, headers);
}

function toProblem(error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (code === 'UND_ERR_INVALID_ARG') return error; // a mistake of the program
  return TIMEOUTS.has(code)
    ? new GatewayTimeout('The upstream took too long.', { cause: error })
    : new BadGateway('The upstream did not answer.', { cause: error });
}

const TIMEOUTS = new Set<unknown>([
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'ETIMEDOUT',
]);

const CONNECT_TIMEOUT_MS = 5000;

let pool: Agent | undefined;

/** Made with the first request. Its idle connections keep no process alive. */
async function sharedPool(): Promise<Agent> {
  const undici = await import('undici');
  return (pool ??= new undici.Agent({ connect: { timeout: CONNECT_TIMEOUT_MS } }));
}
