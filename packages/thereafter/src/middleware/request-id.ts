import { exchangeOf, type Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';

/** What `requestId()` takes. */
export interface RequestIdOptions {
  /** Where the id comes and goes; default `x-request-id`. */
  readonly header?: string;
  /**
   * Whether the id that comes with a request is taken over: it is when a proxy that sets it stands
   * before the app. Default false: anybody could make one request look like another in your log.
   */
  readonly trust?: boolean | ((ctx: Context) => boolean);
}

/**
 * Tells the client the id of its request, which is also that of log lines and problems. Add it first.
 * An id that comes in is taken over only if it has 1 to 128 letters, digits or `-_.:/+=@`.
 */
export function requestId(options: RequestIdOptions = {}): Middleware {
  const { header = 'x-request-id', trust = false } = options;
  const name = header.toLowerCase();
  return (ctx, next) => {
    const incoming = ctx.headers[name];
    const isTrusted = typeof trust === 'function' ? trust(ctx) : trust;
    if (isTrusted && typeof incoming === 'string' && VALID.test(incoming)) {
      exchangeOf(ctx).id = incoming;
    }
    ctx.header(name, ctx.id);
    return next();
  };
}

/** No spaces, quotes or control characters: it goes into logs. */
const VALID = /^[\w\-.:/+=@]{1,128}$/;
