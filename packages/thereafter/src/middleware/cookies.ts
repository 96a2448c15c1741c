import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { stringifySetCookie } from 'cookie';
import { createHmac, timingSafeEqual } from 'node:crypto';
import { exchangeOf, type Context } from '../context.ts';

/** How a browser keeps a cookie, and where it sends it. The defaults are strict. */
export interface CookieOptions {
  /** How long it is kept; default until the browser ends. */
  readonly maxAge?: Duration;
  /** Default `/`. */
  readonly path?: string;
  /** Default the host that set it, and no other. */
  readonly domain?: string;
  /** Whether scripts cannot see it; default true. */
  readonly httpOnly?: boolean;
  /** Whether it travels over HTTPS only, and to localhost; default true. */
  readonly secure?: boolean;
  /** Whether it comes with requests that other sites cause; default `lax`: only when a user follows a link. */
  readonly sameSite?: 'strict' | 'lax' | 'none';
  /** Whether each site that embeds this one gets a cookie of its own; default false. */
  readonly partitioned?: boolean;
}

/** A cookie of the request, decoded; `undefined` when it has none. */
export function getCookie(ctx: Context, name: string): string | undefined {
  return ctx.cookies[name];
}

/**
 * Sets a cookie with the response, an error too. Each one has a header of its own; the last word on a
 * name counts.
 *
 * @throws {ArgumentError} For a name, path or domain that no header may hold, and for what browsers would
 *   refuse: `sameSite: 'none'` without `secure`, and what the prefixes `__Host-` and `__Secure-` forbid.
 */
export function setCookie(
  ctx: Context,
  name: string,
  value: string,
  options: CookieOptions = {},
): void {
  const { maxAge, ...rest } = { ...DEFAULTS, ...options };
  assertKept(name, rest);
  const cookie = {
    name,
    value,
    ...rest,
    ...(maxAge !== undefined && { maxAge: Math.floor(toMilliseconds(maxAge) / 1000) }),
  };
  replace(ctx, name, toLine(cookie));
}

function toLine(cookie: Parameters<typeof stringifySetCookie>[0]): string {
  try {
    return stringifySetCookie(cookie);
  } catch (error) {
    const { message } = error as Error; // the library throws a TypeError
    throw new ArgumentError(`No header may hold the cookie: ${message}`);
  }
}

/** Makes the browser forget a cookie; `path` and `domain` must be those that it was set with. */
export function clearCookie(
  ctx: Context,
  name: string,
  options: Omit<CookieOptions, 'maxAge'> = {},
): void {
  setCookie(ctx, name, '', { ...options, maxAge: '0s' });
}

const DEFAULTS: CookieOptions = { path: '/', httpOnly: true, secure: true, sameSite: 'lax' };

/** @see https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#name-cookie-name-prefixes */
function assertKept(
  name: string,
  { secure, sameSite, partitioned, path, domain }: CookieOptions,
): void {
  const needsSecure =
    sameSite === 'none' || partitioned === true || /^__(?:Host|Secure)-/i.test(name);
  if (needsSecure && secure !== true) {
    throw new ArgumentError(`Browsers keep the cookie ${name} only with secure: true.`);
  }
  if (/^__Host-/i.test(name) && (path !== '/' || domain !== undefined)) {
    throw new ArgumentError(
      `Browsers keep the cookie ${name} only with path '/' and without a domain.`,
    );
  }
}

function replace(ctx: Context, name: string, line: string): void {
  const { res } = exchangeOf(ctx);
  const set = res.getHeader('set-cookie') ?? [];
  const others = [set].flat().filter((each) => !String(each).startsWith(`${name}=`));
  res.setHeader('set-cookie', [...others.map(String), line]);
}

/** Cookies that nobody but the app can have written. They can be read by whoever has them. */
export interface SignedCookies {
  /** The value of a cookie that was signed with one of the keys; `undefined` for any other. */
  get(ctx: Context, name: string): string | undefined;
  /** Like `setCookie`, signed with the first key. */
  set(ctx: Context, name: string, value: string, options?: CookieOptions): void;
}

/**
 * Signs cookies with HMAC-SHA-256, name and value together, so that one cannot pass for another. A
 * signature does not expire: put a date into the value where that matters.
 *
 * @param keys - The first one signs, all are accepted: put a new one in front, and take an old one
 *   away when its cookies may be forgotten. Each has at least 32 characters.
 * @throws {ArgumentError} Without keys, and for a short one.
 */
export function signedCookies(keys: readonly string[]): SignedCookies {
  const [first] = keys;
  if (first === undefined || keys.some((key) => key.length < MIN_KEY_LENGTH)) {
    throw new ArgumentError(
      `signedCookies() wants keys of at least ${MIN_KEY_LENGTH} characters, e.g. of \`openssl rand -base64 32\`.`,
    );
  }
  return {
    get(ctx, name) {
      const signed = getCookie(ctx, name);
      const end = signed?.lastIndexOf('.') ?? -1;
      if (signed === undefined || end === -1) return undefined;
      const value = signed.slice(0, end);
      const given = Buffer.from(signed.slice(end + 1), 'base64url');
      return keys.some((key) => isSame(given, sign(key, name, value))) ? value : undefined;
    },
    set(ctx, name, value, options) {
      const signature = sign(first, name, value).toString('base64url');
      setCookie(ctx, name, `${value}.${signature}`, options);
    },
  };
}

const MIN_KEY_LENGTH = 32;

/** No name holds `=`, so that no other pair gives the same text. */
function sign(key: string, name: string, value: string): Buffer {
  return createHmac('sha256', key).update(`${name}=${value}`).digest();
}

function isSame(given: Buffer, wanted: Buffer): boolean {
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
