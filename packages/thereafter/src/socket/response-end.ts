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
export function onResponseEnd(req: IncomingMessage, res: ServerResponse, done: Done): void {
  const end = endOf(req, res);
  if (end) return done(end);
  const { socket } = req;
  const awaited = awaitedOf(socket);
  awaited.push(done);
  res.on('finish', () => {
    const index = awaited.indexOf(done);
    if (index === -1) return;
    awaited.splice(index, 1);
    done(isHealthy(socket) ? 'sent' : 'aborted');
  });
}

/** How a response has ended; `undefined` as long as it has not. */
export function endOf({ socket }: IncomingMessage, res: ServerResponse): End | undefined {
  if (!res.writableFinished && !res.closed && !socket.destroyed) return undefined;
  return res.writableFinished && isHealthy(socket) ? 'sent' : 'aborted';
}

/** Node 20 and 22 say `finish` for a response that was cut in mid-flush; only the socket knows. */
function isHealthy(socket: Socket): boolean {
  return !socket.destroyed && !socket.errored;
}

type Done = (end: End) => void;

const awaitedBySocket = new WeakMap<Socket, Done[]>();

/**
 * Who waits for responses of a socket: one listener however many there are, so that pipelining warns of
 * no leak. A list, because it is short, and because a `Set` that is filled and emptied all the time can keep
 * requests alive that are over: see docs/adr/0010-cost-of-a-request.md.
 */
function awaitedOf(socket: Socket): Done[] {
  const known = awaitedBySocket.get(socket);
  if (known) return known;
  const awaited: Done[] = [];
  awaitedBySocket.set(socket, awaited);
  socket.once('close', () => {
    for (const done of awaited.splice(0)) done('aborted');
  });
  return awaited;
}
