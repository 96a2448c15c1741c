import type { RequestListener } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { Agent } from 'undici';
import { createHttpServer, type RunningServer } from '../socket/server.ts';

/** A server without a port, and the only client that reaches it. */
export interface MemoryServer extends RunningServer {
  readonly dispatcher: Agent;
}

/**
 * Starts a server whose connections are pairs of streams: requests take the same path as over a socket,
 * and nothing listens.
 */
export function startInMemory(listener: RequestListener): MemoryServer {
  const server = createHttpServer(listener);
  const sockets = new Set<Duplex>();
  // Node sets up what watches over connections here; without it their times are not limited.
  server.emit('listening');
  const dispatcher = new Agent({
    connect: (_, connected) => {
      const [near, far] = duplexPair();
      sockets.add(far);
      far.once('close', () => sockets.delete(far));
      // A side that goes takes the other with it, as a connection does; what was written stays readable.
      near.once('close', () => far.destroy());
      far.once('close', () => {
        if (!far.writableFinished) near.destroy();
      });
      server.emit('connection', asSocket(far));
      asSocket(near);
      // Later, as a network would; undici needs no more of a socket than that.
      setImmediate(() => connected(null, near as never));
    },
  });
  return {
    url: 'http://localhost',
    dispatcher,
    async stop() {
      server.close(() => undefined); // that it did not listen is no error here
      server.closeIdleConnections();
      await Promise.all([...sockets].map((socket) => closed(socket)));
    },
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Gives a stream the methods of a socket that HTTP calls; there is nothing for them to do. */
function asSocket(stream: Duplex): Duplex {
  const same = (): Duplex => stream;
  return Object.assign(stream, {
    remoteAddress: '127.0.0.1',
    setTimeout: same,
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
  });
}

function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', resolve);
  });
}
