import { duplexPair, type Duplex } from 'node:stream';
import { Agent } from 'undici';
import { AppStateError } from '../start.ts';
import type { AppLimits } from '../limits.ts';
import type { Answer } from '../socket/connection.ts';
import { createHttpServer, type RunningServer } from '../socket/server.ts';

/** A server without a port, and the only client that reaches it. */
export interface MemoryServer extends RunningServer {
  readonly dispatcher: Agent;
}

/**
 * Starts a server whose connections are pairs of streams: requests take the same path as over a socket,
 * and nothing listens.
 */
export function startInMemory(answer: Answer, limits: AppLimits): MemoryServer {
  const http = createHttpServer(answer, limits);
  const sockets = new Set<Duplex>();
  let isStopped = false;
  // Node sets up what watches over connections here; without it their times are not limited.
  http.server.emit('listening');
  const dispatcher = new Agent({
    connect: (_, connected) => {
      if (isStopped)
        return connected(
          new AppStateError('APP_CLOSED', 'The app is closed, and answers no more.'),
          null,
        );
      const [near, far] = duplexPair();
      sockets.add(far);
      far.once('close', () => sockets.delete(far));
      // A side that goes takes the other with it, as a connection does; what was written stays readable.
      near.once('close', () => far.destroy());
      far.once('close', () => {
        if (!far.writableFinished) near.destroy();
      });
      http.server.emit('connection', asSocket(far));
      asSocket(near);
      // Later, as a network would; undici needs no more of a socket than that.
      setImmediate(() => connected(null, near as never));
    },
  });
  return {
    url: 'http://localhost',
    dispatcher,
    stop() {
      isStopped = true;
      const ended = Promise.all([...sockets].map((socket) => closed(socket)));
      return http.stop(ended);
    },
    unanswered: () => http.unanswered(),
    cut: () => http.cut(),
  };
}

/** Gives a stream what HTTP and we use of a socket; most of it has nothing to do. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  const socket = Object.assign(stream, {
    remoteAddress: '127.0.0.1',
    bytesRead: 0,
    setTimeout: same,
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
    destroySoon() {
      if (stream.writable) stream.end();
      if (stream.writableFinished) stream.destroy();
      else stream.once('finish', () => stream.destroy());
    },
  });
  const push = stream.push.bind(stream);
  stream.push = (chunk: Buffer | null, encoding) => {
    socket.bytesRead += chunk?.length ?? 0;
    return push(chunk, encoding);
  };
  return socket;
}

function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', resolve);
  });
}
