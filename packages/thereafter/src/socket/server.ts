import { ArgumentError, ThereafterError } from '@thereafter/di';
import { once } from 'node:events';
import type { RequestListener, Server, ServerOptions } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { AppLimits } from '../limits.ts';
import { Connection, connectionOf, type Answer } from './connection.ts';
import { http, https } from '../node-modules.ts';
import { toBrokenRequest, toRefusal } from './refusal.ts';

/** Where an app listens. */
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
  /** The requests whose answers are still due, e.g. `GET /report`. */
  unanswered(): string[];
  /** Ends every connection now. */
  cut(): void;
}

/** What a worker has instead of a server: nothing else would keep its process alive between two jobs. */
export function withoutServer(): RunningServer {
  const alive = setInterval(() => undefined, 2 ** 30);
  return {
    url: '',
    stop: async () => clearInterval(alive),
    unanswered: () => [],
    cut: () => undefined,
  };
}

/**
 * Opens the port.
 *
 * @throws {ListenError} `LISTEN_FAILED` with what to do about it.
 */
export async function startServer(
  answer: Answer,
  limits: AppLimits,
  { port = portFromEnvironment(), host = process.env.HOST || undefined, tls }: ListenOptions,
): Promise<RunningServer> {
  const http = createHttpServer(answer, limits, tls);
  const { server } = http;
  server.listen({ port, host });
  try {
    await once(server, 'listening');
  } catch (error) {
    http.end();
    throw new ListenError(port, error as NodeJS.ErrnoException); // what 'error' of a server carries
  }
  return {
    url: urlOf(server, tls ? 'https' : 'http'),
    stop: () => http.stop(once(server, 'close')),
    unanswered: () => http.unanswered(),
    cut: () => http.cut(),
  };
}

/** A server that sees to its limits, and does not listen yet. */
export function createHttpServer(answer: Answer, limits: AppLimits, tls?: TlsOptions): HttpServer {
  const server = tls
    ? https().createServer({ ...tls, ...nodeOptions(limits) })
    : http.createServer(nodeOptions(limits));
  return new HttpServer(server, tls !== undefined, limits, answer);
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

/** A server of Node, and the limits that it has no option for. */
export class HttpServer {
  readonly server: Server | TlsServer;
  readonly #connections = new Set<Connection>();
  /** Sockets whose TLS handshake is not over, by the address of the client. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #checking: NodeJS.Timeout;

  constructor(server: Server | TlsServer, isTls: boolean, limits: AppLimits, answer: Answer) {
    this.server = server;
    const accept: RequestListener = (req, res) => connectionOf(req.socket)?.accept(req, res);
    server.maxConnections = limits.maxConnections;
    server.maxHeadersCount = limits.maxHeaders + 1; // Node drops what is beyond; one more tells us
    // Node takes a response for done that has ended and is not sent; what is idle is decided here.
    server.closeIdleConnections = () => undefined;
    server.on('timeout', (socket: Socket) => {
      // Silence alone is no fault: the handler may be at work.
      if (socket.writableLength > 0 || connectionOf(socket)?.isIdle) socket.destroy();
    });
    if (isTls) server.on('connection', (socket: Socket) => this.#shakeHands(socket));
    server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#handshakes.delete(peerOf(socket));
      const connection = new Connection(socket, limits, answer);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
    });
    server.on('request', accept);
    server.on('checkContinue', accept); // who reads the body says `100 Continue`
    server.on('checkExpectation', accept); // or Node would answer itself
    server.on('connect', (req, socket: Socket) => connectionOf(socket)?.refuseConnect(req));
    server.on('clientError', (error: Error, socket: Socket) => {
      const refusal = toRefusal(error);
      if (refusal) connectionOf(socket)?.refuse(refusal, () => toBrokenRequest(error, socket));
      else socket.destroy();
    });
    const { checkIntervalMs, writeTimeoutMs } = limits;
    const check = (): void => this.#check();
    this.#checking = setInterval(check, Math.min(checkIntervalMs, writeTimeoutMs)).unref();
  }

  #shakeHands(socket: Socket): void {
    const peer = peerOf(socket);
    this.#handshakes.set(peer, socket);
    socket.once('close', () => this.#handshakes.delete(peer));
  }

  #check(): void {
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.check(nowMs);
  }

  /**
   * Takes no more connections, ends idle ones, and waits until the others are answered.
   *
   * @param ended - Settles when the last connection is gone.
   */
  async stop(ended: Promise<unknown>): Promise<void> {
    this.server.close();
    const endIdle = (): void => {
      const nowMs = performance.now();
      for (const socket of this.#handshakes.values()) socket.destroy();
      for (const connection of this.#connections) connection.stop(nowMs);
    };
    endIdle();
    // A connection whose last request came before is kept alive; it ends when it turns idle.
    const checking = setInterval(endIdle, IDLE_CHECK_MS);
    try {
      await ended;
    } finally {
      clearInterval(checking);
      this.end();
    }
  }

  unanswered(): string[] {
    return [...this.#connections].flatMap((connection) => connection.unanswered);
  }

  cut(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const connection of this.#connections) connection.cut();
    this.server.closeAllConnections(); // what asked for CONNECT, too
  }

  /** Sees to no more limits. */
  end(): void {
    clearInterval(this.#checking);
  }
}

/** Names the client of a socket, before and after its TLS handshake. */
function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function portFromEnvironment(): number {
  const { PORT } = process.env;
  if (PORT === undefined || PORT === '') return 3000;
  const port = Number(PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new ArgumentError(`PORT must be a whole number from 0 to 65535, and is '${PORT}'.`);
}

function urlOf(server: Server | TlsServer, scheme: string): string {
  const { address, port, family } = server.address() as AddressInfo; // listening on a port, not a pipe
  if (address === '::' || address === '0.0.0.0') return `${scheme}://localhost:${port}`;
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

const IDLE_CHECK_MS = 50;
