import { BadRequest } from './problem.ts';
import { HttpReply } from './reply.ts';

/** What `redirect()` takes. */
export interface RedirectOptions {
  /** Default 303: whatever the request was, the client goes on with GET. */
  readonly status?: 301 | 302 | 303 | 307 | 308;
  /** Other origins that may be led to, e.g. `https://accounts.example`; default none. */
  readonly allow?: readonly string[];
}

/**
 * Sends the client to another path of this app, or to an origin of the list. What comes from a
 * request, such as `?next=`, can be given as it is: what leads elsewhere is refused.
 *
 * @param target - A path that begins with a slash, or a URL of an origin of `allow`.
 * @throws {BadRequest} For any other target.
 */
export function redirect(target: string, options: RedirectOptions = {}): HttpReply<never> {
  const { status = 303, allow = [] } = options;
  const location = target.startsWith('/') ? samePath(target) : allowedUrl(target, allow);
  if (location === undefined) throw new BadRequest('The target of the redirect is not allowed.');
  // There is no value, so it fits every schema.
  return new HttpReply(undefined as never, { status, headers: { location } });
}

/** Read as a browser would read it: `/\evil.example` and `/.//evil.example` are no paths. */
function samePath(target: string): string | undefined {
  const url = URL.parse(target, HERE);
  if (url?.origin !== HERE || url.pathname.startsWith('//')) return undefined;
  return url.pathname + url.search + url.hash;
}

function allowedUrl(target: string, allow: readonly string[]): string | undefined {
  const url = URL.parse(target);
  return url !== null && allow.includes(url.origin) ? url.href : undefined;
}

/** Stands for the origin of the app, which need not be known. */
const HERE = 'http://here.invalid';
