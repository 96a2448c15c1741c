import type { IncomingMessage } from 'node:http';
import { BadRequest, ContentTooLarge } from '../response/problem.ts';

/**
 * Reads a request body into memory.
 *
 * @param maxBytes - Refused from `Content-Length` before reading, and while reading otherwise.
 * @throws {ContentTooLarge} Beyond `maxBytes`.
 * @throws {BadRequest} When the client stops half-way.
 */
export function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): void =>
      reject(new ContentTooLarge(`The body may have at most ${maxBytes} bytes.`));
    if (Number(req.headers['content-length'] ?? 0) > maxBytes) return tooLarge();

    const chunks: Buffer[] = [];
    let length = 0;
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length <= maxBytes) return void chunks.push(chunk);
      chunks.length = 0;
      req.pause();
      tooLarge();
    };
    const onEnd = (): void => {
      // Background tasks keep the request, and these listeners would keep its body.
      req.off('data', onData).off('end', onEnd).off('error', onError);
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length));
    };
    const onError = (): void => reject(new BadRequest('The body ended before it was complete.'));
    req.on('data', onData).on('end', onEnd).on('error', onError);
  });
}
