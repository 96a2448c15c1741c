import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** `sent` was handed to the operating system; `aborted` was not, because the connection ended. */
export type End = 'sent' | 'aborted';

/**
 * Calls back exactly once when a response is over, even if it already is.
 *
 * No single event of Node tells: `finish` is missing when the client leaves, `close` of the response
 * comes before the handler has ended when the client leaves early, and neither ever comes for a
 * pipelined request whose client vanished. So `finish` or the `close` of the socket decides, whichever
 * is first; there is no `close` of a response without that of its socket.
 */
export function onResponseEnd(
  { socket }: IncomingMessage,
  res: ServerResponse,
  done: (end: End) => void,
): void {
  if (res.writableFinished || res.closed || socket.destroyed) {
    done(res.writableFinished && isHealthy(socket) ? 'sent' : 'aborted');
    return;
  }
  const awaited = awaitedOf(socket);
  awaited.add(done);
  res.on('finish', () => {
    if (awaited.delete(done)) done(isHealthy(socket) ? 'sent' : 'aborted');
  });
}

/** Node 20 and 22 say `finish` for a response that was cut in mid-flush; only the socket knows. */
function isHealthy(socket: Socket): boolean {
  return !socket.destroyed && !socket.errored;
}

const awaitedBySocket = new WeakMap<Socket, Set<(end: End) => void>>();

/** Who waits for responses of a socket: one listener however many there are, so that pipelining warns of no leak. */
function awaitedOf(socket: Socket): Set<(end: End) => void> {
  const known = awaitedBySocket.get(socket);
  if (known) return known;
  const awaited = new Set<(end: End) => void>();
  awaitedBySocket.set(socket, awaited);
  socket.once('close', () => {
    for (const done of awaited) {
      awaited.delete(done);
      done('aborted');
    }
  });
  return awaited;
}
