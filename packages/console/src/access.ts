import { Forbidden, type Context, type Middleware } from 'thereafter';

/** What the page may do: all of it comes from the app itself, and no text becomes markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = Object.entries({
  'content-security-policy': POLICY,
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
});

/** Lets in whom `authorize` does, and what comes from the console's own page. */
export function onlyFor(authorize: (ctx: Context) => boolean | Promise<boolean>): Middleware {
  return async (ctx, next) => {
    for (const [name, value] of HEADERS) ctx.header(name, value);
    // Compared, so that a function which forgets to return, or returns a user, opens nothing.
    if ((await authorize(ctx)) !== true) {
      throw new Forbidden('The console is not open to you: its authorize() did not say yes.');
    }
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') assertOwnPage(ctx);
    return next();
  };
}

/**
 * A browser adds cookies to requests of foreign pages too, and says where they come from. What says
 * nothing is no browser, and has no cookies but its own.
 *
 * @throws {Forbidden} For a request of another origin.
 * @see https://www.w3.org/TR/fetch-metadata/
 */
function assertOwnPage({ headers }: Context): void {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site === 'same-origin') return;
  if (site === undefined && origin === undefined) return;
  // Browsers leave it out where the connection is not safe; then the origin tells.
  if (site === undefined && URL.parse(origin ?? '')?.host === host) return;
  throw new Forbidden(
    `Only the console's own page may steer, and this request is one of ${origin ?? 'another site'}. If ` +
      'they are the same, there is a proxy that has to pass the host header on.',
  );
}
