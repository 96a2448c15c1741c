import { send } from '@fastify/send';
import type { Stats } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { exchangeOf, type Context } from '../context.ts';
import { PreconditionFailed, RangeNotSatisfiable } from './problem.ts';
import { Reply } from './reply.ts';

/**
 * A file as a request asks for it: all of it (200), a part (206), or that the client has it (304).
 *
 * @param root - The folder that the path is in.
 * @param path - Percent-encoded, with slashes. Where it leads must have been checked.
 * @param hidden - Whether files whose names begin with a dot are there.
 * @returns Nothing where there is no file.
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
  const asked = { method: req.method, headers } as unknown as Readable; // it reads these two only
  const sent = await send(asked, path, {
    root,
    dotfiles: hidden,
    index: false,
    cacheControl: false,
    onFile: (_, stats) => compareStrongly(headers, stats),
  });
  if (sent.type === 'file') {
    const reply = new Reply(sent.statusCode, undefined, sent.stream, new Headers(sent.headers));
    if (req.method !== 'HEAD' && sent.statusCode !== 304) cutWhenShort(ctx, reply, sent.stream);
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
 * The tags of files are weak: made of size and date, they do not vouch for each byte. `If-Match` and
 * `If-Range` compare strongly, where a weak tag is never the same; the date of the file may be.
 *
 * @param headers - Of the request, for the library, which would take a weak tag for a strong one.
 * @throws {PreconditionFailed} When a tag is to match.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1
 */
function compareStrongly(headers: IncomingHttpHeaders, { mtime }: Stats): void {
  const { 'if-match': ifMatch, 'if-range': ifRange } = headers;
  if (ifMatch !== undefined && ifMatch.trim() !== '*') {
    throw new PreconditionFailed('The tag of a file is weak, and cannot be asked to match.');
  }
  if (ifRange !== undefined && ifRange !== mtime.toUTCString()) delete headers.range;
}

/** The length has been promised by then, and a client would wait for the rest. */
function cutWhenShort(ctx: Context, { headers }: Reply, stream: Readable): void {
  const expectedBytes = Number(headers.get('content-length'));
  stream.once('end', () => {
    const bytes = (stream as Readable & { bytesRead?: number }).bytesRead ?? 0; // of a file's stream
    if (bytes >= expectedBytes) return;
    const exchange = exchangeOf(ctx);
    ctx.log.error({ path: ctx.path }, 'a file became shorter while it was sent');
    exchange.broke();
    exchange.res.destroy();
  });
}
