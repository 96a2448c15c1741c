import { ThereafterError } from '@thereafter/di';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface ListenOptions {
  /** Default: the variable `PORT`, else 3000. 0 takes any free port. */
  readonly port?: number;
  /** Default: all interfaces. */
  readonly host?: string;
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

/** Limits of a connection: times in milliseconds, sizes in bytes. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1000,
} as const;

export interface RunningServer {
  readonly url: string;
  /** Takes no more connections, ends idle ones, and waits until the others are answered. */
  stop(): Promise<void>;
  /** Ends every connection now. */
  cut(): void;
}

/**
 * Opens the port.
 *
 * @throws {ListenError} `LISTEN_FAILED` with what to do about it.
 */
export async function startServer(
  listener: RequestListener,
  { port = portFromEnvironment(), host }: ListenOptions,
): Promise<RunningServer> {
  const server = createHttpServer(listener);
  server.listen({ port, host });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new ListenError(port, error as NodeJS.ErrnoException); // what 'error' of a server carries
  }
  return { url: urlOf(server), stop: () => stop(server), cut: () => server.closeAllConnections() };
}

/** A server with the limits of every connection, which does not listen yet. */
export function createHttpServer(listener: RequestListener): Server {
  return createServer({ ...LIMITS }, listener);
}

function portFromEnvironment(): number {
  const { PORT } = process.env;
  if (PORT === undefined || PORT === '') return 3000;
  const port = Number(PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new TypeError(`PORT must be a whole number from 0 to 65535, and is '${PORT}'.`);
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo; // listening on a port, not a pipe
  if (address === '::' || address === '0.0.0.0') return `http://localhost:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

async function stop(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
