import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { http, nodeCrypto } from '../node-modules.ts';
import {
  BadRequest,
  ContentTooLarge,
  Problem,
  RequestTimeout,
  Unsupported,
} from '../response/problem.ts';

class HeadersTooLarge extends Problem {
  override readonly status = 431;
}

/** A request line that is well-formed but for its method or version. */
const REQUEST_LINE = /^([A-Z][A-Z-]*) (\S+) HTTP\/(\d)\.(\d)$/;

/** What `clientError` carries. */
type ParserError = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer;
  /** Where in the packet the parser gave up. */
  readonly bytesParsed?: number;
};

/** The head in which the parser gave up, as far as the packet holds it: there may be good requests before it. */
function brokenHead({ rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ParserError): string[] {
  const before = bytesParsed < 4 ? -1 : rawPacket.lastIndexOf(BLANK_LINE, bytesParsed - 4);
  const start = before === -1 ? 0 : before + BLANK_LINE.length;
  const end = rawPacket.indexOf(BLANK_LINE, start);
  const head = rawPacket.toString('latin1', start, end === -1 ? rawPacket.length : end);
  const lines = head.split('\r\n');
  return end === -1 ? lines.slice(0, -1) : lines; // the last one may go on in the next packet
}

const BLANK_LINE = '\r\n\r\n';

/**
 * The request that Node's parser gave up on, as far as it can be known.
 *
 * @returns `undefined` when the packet does not hold its request line, or none that can be read.
 */
export function toBrokenRequest(error: ParserError, socket: Socket): IncomingMessage | undefined {
  const [requestLine = '', ...lines] = brokenHead(error);
  const [, method, target, major, minor] = REQUEST_LINE.exec(requestLine) ?? [];
  if (method === undefined) return undefined;
  const req = new http.IncomingMessage(socket);
  req.method = method;
  req.url = target!; // part of what matched, as the others
  req.httpVersion = `${major}.${minor}`;
  req.httpVersionMajor = Number(major);
  req.httpVersionMinor = Number(minor);
  const distinct: Record<string, string[]> = Object.create(null) as never;
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon === -1) continue;
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
    req.rawHeaders.push(name, value);
    (distinct[name.toLowerCase()] ??= []).push(value);
  }
  req.headersDistinct = distinct;
  req.headers = Object.fromEntries(
    Object.entries(distinct).map(([name, values]) => [name, values.join(', ')]),
  );
  req.push(null); // what comes next is not read
  req.complete = true;
  return req;
}

/** What is wrong with bytes that Node's parser gave up on; `undefined` when nobody is there to be told. */
export function toRefusal(error: ParserError): Problem | undefined {
  switch (error.code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'HPE_INVALID_EOF_STATE':
      return undefined;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RequestTimeout('The request took too long to arrive.');
    case 'HPE_HEADER_OVERFLOW':
      return headersTooLarge();
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new ContentTooLarge('The chunk extensions of the body are too large.');
    case 'HPE_INVALID_METHOD':
      return REQUEST_LINE.test(brokenHead(error)[0] ?? '')
        ? unknownMethod()
        : new BadRequest('This is not an HTTP request.');
    case 'HPE_INVALID_VERSION':
    case 'HPE_PAUSED_H2_UPGRADE':
      return REQUEST_LINE.test(brokenHead(error)[0] ?? '')
        ? unknownVersion()
        : new BadRequest('This is not an HTTP request.');
    default:
      return new BadRequest('This is not a valid HTTP request.');
  }
}

export function unknownMethod(): Problem {
  return new Unsupported(501, 'This server does not know the method.');
}

export function unknownVersion(): Problem {
  return new Unsupported(505, 'This server speaks HTTP/1.1.');
}

export function headersTooLarge(): Problem {
  return new HeadersTooLarge('The headers of the request are too large.');
}

/** Answers where there is no request to answer to. */
export function writeRefusal(socket: Socket, { status, title, type, message }: Problem): void {
  if (!socket.writable) return;
  const body = JSON.stringify({
    type,
    title,
    status,
    detail: message,
    requestId: nodeCrypto().randomUUID(),
  });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `date: ${new Date().toUTCString()}`,
    'connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
}
