import type { Socket } from 'node:net';
import { nodeCrypto } from '../node-modules.ts';
import { BadRequest, ContentTooLarge, Problem, RequestTimeout } from '../response/problem.ts';

class NotImplemented extends Problem {
  override readonly status = 501;
}

class HeadersTooLarge extends Problem {
  override readonly status = 431;
}

/** A request line that is well-formed but for its method. */
const REQUEST_LINE = /^[A-Z][A-Z-]* \S+ HTTP\/1\.[01]\r?\n/;

/** What `clientError` carries. */
type ParserError = NodeJS.ErrnoException & {
  readonly rawPacket?: Buffer;
  /** Where in the packet the parser gave up. */
  readonly bytesParsed?: number;
};

/** The line at which the parser gave up: a packet may hold good requests before it. */
function brokenLine({ rawPacket = Buffer.alloc(0), bytesParsed = 0 }: ParserError): string {
  const start = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1;
  return rawPacket.toString('latin1', start, start + MAX_LINE_LENGTH);
}

const MAX_LINE_LENGTH = 9000;

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
      return REQUEST_LINE.test(brokenLine(error))
        ? notImplemented()
        : new BadRequest('This is not an HTTP request.');
    default:
      return new BadRequest('This is not a valid HTTP request.');
  }
}

export function notImplemented(): Problem {
  return new NotImplemented('This server does not know the method.');
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
