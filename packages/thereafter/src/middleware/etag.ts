import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { isNotModified } from '../response/entity-tag.ts';
import type { Reply } from '../response/reply.ts';
import { headerOf } from '../response/response-headers.ts';

/** What the tags of `etag()` say. */
export interface EtagOptions {
  /**
   * Whether tags say only that two answers mean the same, `W/"…"`; default false: that they are the
   * same bytes.
   */
  readonly weak?: boolean;
}

/**
 * Tags what GET answers with 200, and answers 304 without a body to who has it already, 412 to who
 * wants another. Bodies in memory are hashed; a tag that the handler has set is kept, and serves
 * streams too. Add it after `compress()`, so that it sees the body before it is coded.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
 */
export function etag({ weak = false }: EtagOptions = {}): Middleware {
  return async (ctx, next) => {
    const reply = await next();
    if ((ctx.method !== 'GET' && ctx.method !== 'HEAD') || reply.status !== 200) return reply;
    const tag = tagOf(ctx, reply, weak);
    if (tag === undefined) return reply;
    try {
      if (!isNotModified(ctx.headers, tag)) return reply;
    } catch (error) {
      if (reply.body instanceof Readable) reply.body.destroy();
      throw error;
    }
    reply.status = 304; // whose body is not sent, and tells others what would have been
    return reply;
  };
}

function tagOf(ctx: Context, reply: Reply, isWeak: boolean): string | undefined {
  const own = headerOf(ctx, reply, 'etag');
  if (own !== undefined) return own;
  const { body } = reply;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return undefined;
  // SHA-1 is the fastest here, and nothing but a cache depends on it.
  const hash = createHash('sha1').update(body).digest('base64url');
  const tag = `${isWeak ? 'W/' : ''}"${hash}"`;
  reply.headers.set('etag', tag);
  return tag;
}
