import { ThereafterError } from '@thereafter/di';
import { once } from 'node:events';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { AppLimits } from '../limits.ts';
import { closeGently } from './close.ts';
import { Connection, connectionOf } from './connection.ts';
import { http, https } from '../node-modules.ts';
import { notImplemented, toRefusal, writeRefusal } from './refusal.ts';

export interface ListenOptions {
  /** Default: the variable `PORT`, else 3000. 0 takes any free port. */
  readonly port?: number;
  /** Default: the variable `HOST`, else all interfaces. */
  readonly host?: string;
  /** Speaks HTTPS: `key` and `cert`, and what else `node:tls` takes. Default: plain HTTP. */
  readonly tls?: TlsOptions;
}

/** The server cannot listen: its port is taken, or is not to be had. */
export class ListenError extends ThereafterError {
  readonly code = 'LISTEN_FAILED';
  readonly port: number;

  constructor(port: number, cause: NodeJS.ErrnoException) {
    super(`Cannot listen on port ${port}: ${reasonOf(cause)}`, { cause });
    this.port = port;
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another program is using it. Stop that one, or choose a free port with PORT=<number>.';
    case 'EACCES':
      return 'ports below 1024 need more rights. Choose another with PORT=<number>.';
    default:
      return message;
  }
}

export interface RunningServer {
  readonly url: string;
  /** Takes no more connections, ends idle ones, and waits until the others are answered. */
  stop(): Promise<void>;
  /** Ends every connection now. */
  cut(): void;
}

/** What a worker has instead of a server: nothing else would keep its process alive between two jobs. */
export function withoutServer(): RunningServer {
  const alive = setInterval(() => undefined, 2 ** 30);
  return {
    url: '',
    stop: async () => clearInterval(alive),
    cut: () => undefined,
  };
}

/**
 * Opens the port.
 *
 * @throws {ListenError} `LISTEN_FAILED` with what to do about it.
 */
export async function startServer(
  listener: RequestListener,
  limits: AppLimits,
  { port = portFromEnvironment(), host = process.env.HOST || undefined, tls }: ListenOptions,
): Promise<RunningServer> {
  const { server, stopWatching } = createHttpServer(listener, limits, tls);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen({ port, host });
  try {
    await once(server, 'listening');
  } catch (error) {
    stopWatching();
    throw new ListenError(port, error as NodeJS.ErrnoException); // what 'error' of a server carries
  }
  return {
    url: urlOf(server, tls ? 'https' : 'http'),
    stop: () => stop(server, once(server, 'close')).finally(stopWatching),
    cut: () => {
      server.closeAllConnections();
      // Node counts as such neither one whose TLS handshake is not over nor one that asked for CONNECT.
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** A server that sees to its limits until `stopWatching()`, and does not listen yet. */
export function createHttpServer(
  listener: RequestListener,
  limits: AppLimits,
  tls?: TlsOptions,
): { readonly server: Server | TlsServer; readonly stopWatching: () => void } {
  const server = tls
    ? https().createServer({ ...tls, ...nodeOptions(limits) })
    : http.createServer(nodeOptions(limits));
  const opened = tls ? 'secureConnection' : 'connection';
  return { server, stopWatching: enforce(server, opened, limits, listener) };
}

function nodeOptions(limits: AppLimits): ServerOptions {
  return {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headTimeoutMs,
    // Node has no rate; what is slower is seen to below.
    requestTimeout: Math.max(limits.uploadTimeoutMs, limits.requestTimeoutMs, limits.headTimeoutMs),
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    requireHostHeader: false, // we answer that with a problem
    optimizeEmptyRequests: true, // a request without a body needs no stream; older Nodes ignore it
  } as ServerOptions; // the types do not know the last one
}

/**
 * Sees to the limits that Node has no option for.
 *
 * @returns Ends it.
 */
function enforce(
  server: Server | TlsServer,
  opened: 'connection' | 'secureConnection',
  limits: AppLimits,
  listener: RequestListener,
): () => void {
  const connections = new Set<Connection>();
  const accept: RequestListener = (req, res) => {
    if (connectionOf(req.socket)?.admit(req, res)) listener(req, res);
  };
  server.maxConnections = limits.maxConnections;
  server.maxHeadersCount = limits.maxHeaders + 1; // Node drops what is beyond; one more tells us
  server.on('timeout', (socket: Socket) => {
    // Silence alone is no fault: the handler may be at work.
    if (socket.writableLength > 0 || connectionOf(socket)?.isIdle) socket.destroy();
  });
  server.on(opened, (socket: Socket) => {
    const connection = new Connection(socket, limits);
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  server.on('request', accept);
  server.on('checkContinue', accept); // who reads the body says `100 Continue`
  server.on('checkExpectation', accept); // or Node would answer itself
  server.on('connect', (_req, socket: Socket) => {
    writeRefusal(socket, notImplemented());
    closeGently(socket);
  });
  server.on('clientError', (error: Error, socket: Socket) => {
    const refusal = toRefusal(error);
    if (refusal) connectionOf(socket)?.refuse(refusal);
    else socket.destroy();
  });
  const check = (): void => {
    const nowMs = performance.now();
    for (const connection of connections) connection.check(nowMs);
  };
  const { checkIntervalMs, writeTimeoutMs } = limits;
  const timer = setInterval(check, Math.min(checkIntervalMs, writeTimeoutMs)).unref();
  return () => clearInterval(timer);
}

function portFromEnvironment(): number {
  const { PORT } = process.env;
  if (PORT === undefined || PORT === '') return 3000;
  const port = Number(PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TypeError(`PORT must be a whole number from 0 to 65535, and is '${PORT}'.`);
}

function urlOf(server: Server | TlsServer, scheme: string): string {
  const { address, port, family } = server.address() as AddressInfo; // listening on a port, not a pipe
  if (address === '::' || address === '0.0.0.0') return `${scheme}://localhost:${port}`;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const IDLE_CHECK_MS = 50;

/** @param ended - Settles when the last connection is gone. */
export async function stop(server: Server | TlsServer, ended: Promise<unknown>): Promise<void> {
  server.close();
  // A connection whose last request came before is kept alive; it ends when it turns idle.
  const checking = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  try {
    await ended;
  } finally {
    clearInterval(checking);
  }
}
