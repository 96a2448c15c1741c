import { ArgumentError } from '@thereafter/di';
import type { Middleware } from '../middleware.ts';

/** What replaces a default: another value, or false for none. */
export type SecurityHeadersOptions = {
  readonly [Name in SecurityHeader]?: string | false;
};

/** The name of a header that `securityHeaders()` sets. */
export type SecurityHeader =
  | 'content-security-policy'
  | 'cross-origin-opener-policy'
  | 'cross-origin-resource-policy'
  | 'origin-agent-cluster'
  | 'referrer-policy'
  | 'strict-transport-security'
  | 'x-content-type-options'
  | 'x-dns-prefetch-control'
  | 'x-frame-options'
  | 'x-permitted-cross-domain-policies'
  | 'x-xss-protection';

/*
 * Each is what the OWASP project advises for its header, where that cannot break a page that works:
 * https://owasp.org/www-project-secure-headers/ and the HTTP Headers Cheat Sheet.
 */
const DEFAULTS: Readonly<Record<SecurityHeader, string>> = {
  /** What a page may load: its own, inline styles too; no plug-ins, no frames around it. https://www.w3.org/TR/CSP3/ */
  'content-security-policy': [
    "default-src 'self'",
    "base-uri 'self'",
    "font-src 'self' https: data:",
    "form-action 'self'",
    "frame-ancestors 'self'",
    "img-src 'self' data:",
    "object-src 'none'",
    "script-src 'self'",
    "script-src-attr 'none'",
    "style-src 'self' https: 'unsafe-inline'",
  ].join(';'),
  /** A page of another origin that opened this one has no hold on it. https://html.spec.whatwg.org/#cross-origin-opener-policies */
  'cross-origin-opener-policy': 'same-origin',
  /** Other sites cannot embed what is answered here. https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header */
  'cross-origin-resource-policy': 'same-origin',
  /** Each origin in a process of its own. https://html.spec.whatwg.org/#origin-keyed-agent-clusters */
  'origin-agent-cluster': '?1',
  /** Where a user came from is nobody's business. https://www.w3.org/TR/referrer-policy/ */
  'referrer-policy': 'no-referrer',
  /** HTTPS only, for a year. Browsers ignore it over plain HTTP. https://www.rfc-editor.org/rfc/rfc6797 */
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  /** A type is what it says. https://fetch.spec.whatwg.org/#x-content-type-options-header */
  'x-content-type-options': 'nosniff',
  /** Names of links are not looked up before somebody follows them. */
  'x-dns-prefetch-control': 'off',
  /** For browsers without `frame-ancestors`. https://www.rfc-editor.org/rfc/rfc7034 */
  'x-frame-options': 'SAMEORIGIN',
  /** Old plug-ins load nothing from here. */
  'x-permitted-cross-domain-policies': 'none',
  /** The filter that this turned on did harm; 0 turns it off where it still is. */
  'x-xss-protection': '0',
};

/**
 * Sets headers that make browsers careful, on errors too. What `ctx.header()` has set for a request
 * later counts instead; a header of a reply does so as well.
 *
 * @param options - By header: another value, or false for none.
 * @throws {ArgumentError} For a header that is not among the defaults.
 */
export function securityHeaders(options: SecurityHeadersOptions = {}): Middleware {
  for (const name of Object.keys(options)) {
    if (name in DEFAULTS) continue;
    throw new ArgumentError(
      `securityHeaders() does not know '${name}'. It sets ${Object.keys(DEFAULTS).join(', ')}.`,
    );
  }
  const values: Readonly<Record<string, string | false>> = { ...DEFAULTS, ...options };
  const headers = Object.entries(values).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return (ctx, next) => {
    for (const [name, value] of headers) ctx.header(name, value);
    return next();
  };
}
