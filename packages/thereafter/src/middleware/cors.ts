import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { Reply } from '../response/reply.ts';
import { addVary } from '../response/response-headers.ts';

/** What other origins may do. */
export interface CorsOptions {
  /**
   * Which origins may read answers: `'*'`, exact ones such as `'https://app.example'`, or a function
   * that decides. There is no default.
   */
  readonly origin: '*' | readonly string[] | ((origin: string, ctx: Context) => boolean);
  /** Methods that a preflight allows; default GET, HEAD, POST, PUT, PATCH, DELETE. */
  readonly methods?: readonly string[];
  /** Request headers that a preflight allows; default those that it asks for. */
  readonly allowHeaders?: readonly string[];
  /** Response headers that scripts may read, besides the few that they always may; default none. */
  readonly exposeHeaders?: readonly string[];
  /** Whether cookies may come along; default false, and not to be had with `origin: '*'`. */
  readonly credentials?: boolean;
  /** How long a browser may keep the answer to a preflight; default `'5s'`, that of browsers. */
  readonly maxAge?: Duration;
}

/**
 * Lets scripts of other origins read what the app answers, errors included, and answers preflights on
 * every path. Add it before what may refuse a request, such as authentication: a preflight carries no
 * credentials.
 *
 * @throws {ArgumentError} For `'*'` with credentials, and for an origin that no browser would send.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function cors(options: CorsOptions): Middleware {
  const { origin, methods, allowHeaders, exposeHeaders = [], credentials = false } = options;
  assertSensible(options);
  const isAllowed = toPredicate(origin);
  const allowMethods = (methods ?? DEFAULT_METHODS).join(', ');
  const exposed = exposeHeaders.join(', ');
  const maxAgeS = options.maxAge && String(Math.floor(toMilliseconds(options.maxAge) / 1000));

  return (ctx, next) => {
    const asker = ctx.headers.origin;
    // A cache must not give the answer for one origin to another.
    if (origin !== '*') addVary(ctx, 'Origin');
    const isPreflight =
      ctx.method === 'OPTIONS' &&
      asker !== undefined &&
      ctx.headers['access-control-request-method'] !== undefined;
    const isGranted = asker !== undefined && isAllowed(asker, ctx);
    if (isGranted) {
      ctx.header('access-control-allow-origin', origin === '*' ? '*' : asker);
      if (credentials) ctx.header('access-control-allow-credentials', 'true');
    }
    if (!isPreflight) {
      if (isGranted && exposed !== '') ctx.header('access-control-expose-headers', exposed);
      return next();
    }
    if (allowHeaders === undefined) addVary(ctx, 'Access-Control-Request-Headers');
    if (isGranted) {
      const headers = allowHeaders?.join(', ') ?? ctx.headers['access-control-request-headers'];
      ctx.header('access-control-allow-methods', allowMethods);
      if (headers) ctx.header('access-control-allow-headers', headers.toString());
      if (maxAgeS !== undefined) ctx.header('access-control-max-age', maxAgeS);
    }
    return new Reply(204);
  };
}

const DEFAULT_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

function toPredicate(origin: CorsOptions['origin']): (origin: string, ctx: Context) => boolean {
  if (origin === '*') return () => true;
  if (typeof origin === 'function') return origin;
  const allowed = new Set(origin);
  return (asker) => allowed.has(asker);
}

function assertSensible({ origin, credentials }: CorsOptions): void {
  if (origin === '*') {
    if (!credentials) return;
    throw new ArgumentError(
      "cors() refuses origin '*' with credentials: any site could act as your users. List the origins.",
    );
  }
  if (typeof origin === 'function') return;
  for (const each of origin) {
    if (each !== 'null' && URL.parse(each)?.origin === each) continue;
    throw new ArgumentError(
      `cors() wants origins such as 'https://app.example', without a path, and got '${each}'.`,
    );
  }
}
