import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Bytes of an unwanted body that are still read, so that a client which sends all before it listens gets its answer. */
const DISCARDED_BYTES = 1024 * 1024;

/** How long a client may take to close its side. */
const CLOSE_TIMEOUT_MS = 2000;

/** A body up to this size is read and dropped: that is cheaper than a new connection. */
const DROPPED_BYTES = 64 * 1024;

/**
 * Closes our side, and the connection when the client has closed its own, or after 2 s.
 *
 * Closing at once would answer bytes that are still under way with a reset, and a reset may overtake
 * the response: the client would see a broken connection instead of why it was refused.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export function closeGently(socket: Socket): void {
  if (socket.destroyed) return;
  let discarded = 0;
  socket.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARDED_BYTES) socket.pause();
  });
  const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', () => socket.destroy());
  socket.end();
}

/** Says and sees to it that the connection ends with this response, if too much of its body is unread. */
export function closeIfUnread(req: IncomingMessage, res: ServerResponse): void {
  if (req.complete) return;
  const { 'content-length': length, 'transfer-encoding': coding, expect } = req.headers;
  if (coding === undefined && (length === undefined || length === '0')) return;
  if (expect === undefined && coding === undefined && Number(length) <= DROPPED_BYTES) return;
  res.setHeader('connection', 'close');
  const { socket } = req;
  const destroySoon = socket.destroySoon.bind(socket);
  // What Node calls when the last response of a connection is out.
  socket.destroySoon = () => {
    if (req.complete) return destroySoon();
    closeGently(socket);
    req.resume();
  };
}
