import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** `sent` was handed to the operating system; `aborted` was not, because the connection ended. */
export type End = 'sent' | 'aborted';

/**
 * Calls back exactly once when a response is over, even if it already is.
 *
 * No single event of Node tells: `finish` is missing when the client leaves, `close` comes before the
 * handler has ended when the client leaves early, and neither ever comes for a pipelined request whose
 * client vanished. So whichever of them and of the socket's `close` is first decides.
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
  let isDone = false;
  const finish = (): void => over(isHealthy(socket) ? 'sent' : 'aborted');
  const close = (): void => over('aborted');
  const over = (end: End): void => {
    if (isDone) return;
    isDone = true;
    res.off('finish', finish);
    res.off('close', close);
    closeListeners(socket).delete(close);
    done(end);
  };
  res.on('finish', finish);
  res.on('close', close);
  closeListeners(socket).add(close);
}

/** Node 20 and 22 say `finish` for a response that was cut in mid-flush; only the socket knows. */
function isHealthy(socket: Socket): boolean {
  return !socket.destroyed && !socket.errored;
}

const listeners = new WeakMap<Socket, Set<() => void>>();

/** One listener a socket however many requests it carries, so that pipelining warns of no leak. */
function closeListeners(socket: Socket): Set<() => void> {
  const known = listeners.get(socket);
  if (known) return known;
  const callbacks = new Set<() => void>();
  listeners.set(socket, callbacks);
  socket.once('close', () => {
    for (const callback of callbacks) callback();
  });
  return callbacks;
}
