import type { ServerResponse } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import type { Reply } from '../response/reply.ts';
import { closeIfUnread } from './close.ts';

/**
 * Writes a reply. Body and length are left out where HTTP says so: 204, 304, and the body of HEAD.
 *
 * @param onBrokenBody - Called when a streamed body fails half-way. The connection is then cut, since
 *   nothing else tells the client that what it has is not all.
 */
export function send(
  res: ServerResponse,
  reply: Reply,
  onBrokenBody: (error: Error) => void,
): void {
  const { status, body } = reply;
  if (res.headersSent) res.destroy(); // half an answer is out, and this is another one
  if (res.destroyed) return discard(body);
  if (reply.hasHeaders) setHeaders(res, reply.headers);
  closeIfUnread(res.req, res);
  if (status === 204 || status === 304) {
    res.writeHead(status).end();
    return discard(body);
  }
  if (body === undefined) {
    res.writeHead(status, headOf(res, reply, 0)).end();
    return;
  }
  if (typeof body === 'string' || body instanceof Uint8Array) {
    res.writeHead(status, headOf(res, reply, Buffer.byteLength(body))).end(body);
    return;
  }
  res.writeHead(status, headOf(res, reply));
  if (res.req.method === 'HEAD') {
    res.end();
    return discard(body);
  }
  body.once('error', (error: NodeJS.ErrnoException) => {
    // A client that leaves is no fault of the body.
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') onBrokenBody(error);
  });
  pipeline(body, res, () => undefined); // what went wrong was said above
}

function setHeaders(res: ServerResponse, headers: Headers): void {
  for (const [name, value] of headers) {
    // What middleware or `ctx.header()` said stays only where several values make sense.
    if (LISTS.has(name)) res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
}

/** Headers of which one more does not contradict another. */
const LISTS = new Set(['set-cookie', 'vary', 'link', 'server-timing', 'www-authenticate']);

/** What goes along with the headers that were set: Node writes a flat list without storing it first. */
function headOf(res: ServerResponse, { type }: Reply, length?: number): string[] {
  const head = length === undefined ? [] : ['content-length', String(length)];
  if (type !== undefined && !res.hasHeader('content-type')) head.push('content-type', type);
  return head;
}

/** Lets go of a body that is not sent. */
export function discard(body: Reply['body']): void {
  if (isStream(body)) body.destroy();
}

function isStream(body: Reply['body']): body is Readable {
  return typeof body === 'object' && 'pipe' in body;
}

/** What a handler may have said of a body that is not sent now. */
const BODY_HEADERS = [
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-range',
  'cache-control',
  'etag',
  'last-modified',
] as const;

/** Takes back what was said of a body, since another one is sent. */
export function dropBodyHeaders(res: ServerResponse): void {
  if (!res.headersSent) for (const name of BODY_HEADERS) res.removeHeader(name);
}
