import { isUtf8MimeType, mime, send } from '@fastify/send';
import type { Stats } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { exchangeOf, type Context } from '../context.ts';
import { isNotModified } from './entity-tag.ts';
import { PreconditionFailed, RangeNotSatisfiable } from './problem.ts';
import { Reply } from './reply.ts';

/**
 * A file as a request asks for it: all of it (200), a part (206), or that the client has it (304).
 *
 * @param root - The folder that the path is in.
 * @param path - Percent-encoded, with slashes. Where it leads must have been checked.
 * @param hidden - Whether files whose names begin with a dot are there.
 * @returns `undefined` where there is no file.
 * @throws {PreconditionFailed} When the client wants another version.
 * @throws {RangeNotSatisfiable} When the file has no such part.
 */
export async function requestedFile(
  ctx: Context,
  root: string,
  path: string,
  hidden: 'allow' | 'ignore',
): Promise<Reply | undefined> {
  const { req } = exchangeOf(ctx);
  // What else a method may do with conditions is not a file's business.
  const headers = req.method === 'GET' || req.method === 'HEAD' ? { ...req.headers } : {};
  if (req.method !== 'GET') delete headers.range; // it alone has parts: RFC 9110, 14.2
  let tag = '';
  const asked = { method: req.method, headers } as unknown as Readable; // it reads these two only
  const sent = await send(asked, path, {
    root,
    dotfiles: hidden,
    index: false,
    cacheControl: false,
    contentType: false,
    etag: false,
    onFile: (_, stats) => {
      tag = toTag(stats);
      decide(headers, tag, stats);
    },
  });
  if (sent.type === 'file') {
    const reply = new Reply(sent.statusCode, undefined, sent.stream, new Headers(sent.headers));
    reply.headers.set('etag', tag);
    reply.headers.set('content-type', contentTypeOf(path));
    return reply;
  }
  sent.stream.destroy();
  if (sent.type === 'directory') return undefined;
  switch (sent.statusCode) {
    case 400:
    case 404:
      return undefined;
    case 412:
      throw new PreconditionFailed('The file has changed.');
    case 416:
      throw new RangeNotSatisfiable(
        'The file has no such bytes.',
        sent.headers['Content-Range'] ?? '',
      );
    default:
      throw sent.metadata.error; // such as a file that must not be read
  }
}

/**
 * The `content-type` of a file, by the ending of its name. One that is not known is bytes and nothing
 * more: without a type a browser would guess, and may find a page in what somebody has uploaded.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-8.3
 */
export function contentTypeOf(path: string): string {
  const type = mime.getType(path) ?? 'application/octet-stream';
  return isUtf8MimeType(type) ? `${type}; charset=utf-8` : type;
}

/** The tags of files are weak: made of size and date, they do not vouch for each byte. */
function toTag({ size, mtime }: Stats): string {
  return `W/"${size.toString(16)}-${mtime.getTime().toString(16)}"`;
}

/**
 * Compares tags as all answers do, and leaves to the library what it reads: dates and ranges. A weak tag
 * never allows the rest of a file, but its date may.
 *
 * @param headers - Of the request, and changed.
 * @throws {PreconditionFailed} When a tag is to match.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1
 */
function decide(headers: IncomingHttpHeaders, tag: string, { mtime, size }: Stats): void {
  const { 'if-match': wanted, 'if-none-match': known, 'if-range': ifRange } = headers;
  const isKnown = isNotModified(headers, tag);
  delete headers['if-match'];
  delete headers['if-none-match'];
  delete headers['cache-control']; // with `no-cache` the library would compare nothing
  // Where there is a tag, the date does not count.
  if (wanted !== undefined) delete headers['if-unmodified-since'];
  if (known !== undefined) delete headers['if-modified-since'];
  if (isKnown) headers['if-none-match'] = '*'; // which the library takes for a yes
  if (ifRange !== undefined && ifRange !== mtime.toUTCString()) delete headers.range;
  else if (headers.range !== undefined) clampSuffix(headers, size);
}

/**
 * The last bytes of a file are all of it where it has not that many, which the library takes for none.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-14.1.2
 */
function clampSuffix(headers: IncomingHttpHeaders, size: number): void {
  const suffix = /^bytes=-(\d+)$/.exec(headers.range!)?.[1];
  if (suffix === undefined || Number(suffix) <= size) return;
  if (size === 0) delete headers.range; // no range can say where nothing begins
  else headers.range = `bytes=-${size}`;
}
