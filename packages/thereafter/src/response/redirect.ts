import { HttpReply } from './reply.ts';

/** 303 makes the next request a GET; 307 and 308 repeat the method. */
export type RedirectStatus = 301 | 302 | 303 | 307 | 308;

const HERE = 'http://here.invalid';

/**
 * An answer that sends the client to another path of this app. What a client gave may be passed on: a
 * target that a browser would take for another host is refused.
 *
 * @param path - Absolute, with query string if need be.
 * @param status - Default 303.
 * @throws {TypeError} For everything that is not a path here, such as `//evil.example`.
 */
export function redirect(path: string, status: RedirectStatus = 303): HttpReply<never> {
  const url = path.startsWith('/') ? URL.parse(path, HERE) : null;
  if (url?.origin !== HERE) {
    throw new TypeError(
      'redirect() goes to paths of this app only, which begin with one slash. For another host, use redirectExternal().',
    );
  }
  return found(url.pathname + url.search + url.hash, status);
}

/**
 * An answer that sends the client anywhere. Never pass on what a client gave.
 *
 * @param status - Default 303.
 * @throws {TypeError} When the target is not an absolute URL of `http:` or `https:`.
 */
export function redirectExternal(
  target: string | URL,
  status: RedirectStatus = 303,
): HttpReply<never> {
  const url = URL.parse(String(target));
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new TypeError('redirectExternal() wants an absolute http: or https: URL.');
  }
  return found(url.href, status);
}

function found(location: string, status: RedirectStatus): HttpReply<never> {
  return new HttpReply(undefined as never, { status, headers: { location } }); // it has no value
}
