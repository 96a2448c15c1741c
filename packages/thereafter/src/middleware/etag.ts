import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { PreconditionFailed } from '../response/problem.ts';
import type { Reply } from '../response/reply.ts';
import { headerOf, removeHeader } from './response-headers.ts';

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

    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = ctx.headers;
    if (ifMatch !== undefined && !matches(ifMatch, tag, isSameStrongly)) {
      if (reply.body instanceof Readable) reply.body.destroy();
      throw new PreconditionFailed('There is another version than the one that was asked for.');
    }
    if (ifNoneMatch !== undefined && matches(ifNoneMatch, tag, isSameWeakly)) {
      reply.status = 304;
      removeHeader(ctx, reply, 'content-length');
      removeHeader(ctx, reply, 'content-type');
    }
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

type Comparison = (one: string, other: string) => boolean;

const isSameStrongly: Comparison = (one, other) => one === other && !one.startsWith('W/');
const isSameWeakly: Comparison = (one, other) => one.replace('W/', '') === other.replace('W/', '');

/** Whether a list of tags, or a star, holds a tag. */
function matches(list: string, tag: string, isSame: Comparison): boolean {
  if (list.trim() === '*') return true;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((each) => isSame(each, tag));
}
