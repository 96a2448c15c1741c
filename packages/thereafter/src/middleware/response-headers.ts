import { exchangeOf, type Context } from '../context.ts';
import type { Reply } from '../response/reply.ts';

/**
 * A header as the client will see it: what the reply says, else what `ctx.header()` has set.
 *
 * @param name - In lower case.
 */
export function headerOf(ctx: Context, reply: Reply, name: string): string | undefined {
  const own = reply.hasHeaders ? reply.headers.get(name) : null;
  if (own !== null) return own;
  if (name === 'content-type' && reply.type !== undefined) return reply.type;
  return exchangeOf(ctx).res.getHeader(name)?.toString();
}

/** Replaces a header, wherever it was set. */
export function replaceHeader(ctx: Context, reply: Reply, name: string, value: string): void {
  exchangeOf(ctx).res.removeHeader(name);
  reply.headers.set(name, value);
}

/** Takes away a header, wherever it was set. */
export function removeHeader(ctx: Context, reply: Reply, name: string): void {
  exchangeOf(ctx).res.removeHeader(name);
  if (reply.hasHeaders) reply.headers.delete(name);
}

/** Says that the response, an error too, depends on a request header; keeps what others say. */
export function addVary(ctx: Context, name: string): void {
  const known = exchangeOf(ctx).res.getHeader('vary')?.toString() ?? '';
  const names = known.split(',').map((each) => each.trim());
  if (names.includes('*') || names.some((each) => each.toLowerCase() === name.toLowerCase()))
    return;
  ctx.header('vary', known === '' ? name : `${known}, ${name}`);
}
