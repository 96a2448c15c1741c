import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readParts } from '../../src/handler/multipart.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';

const BOUNDARY = 'b-b';

const part = fc.record({
  // `\r` and `\n` are escaped on the way, as browsers do; other control characters are not allowed.
  name: fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => !/\p{Cc}|\\|%/u.test(name)),
  // Rich in what looks like the beginning of a delimiter.
  content: fc
    .array(fc.oneof(fc.constantFrom('\r', '\n', '-', '\r\n--b', '--b-b'), fc.string()))
    .map((pieces) => Buffer.from(pieces.join('')))
    .filter((bytes) => !bytes.includes(`\r\n--${BOUNDARY}`)),
});

function encode(parts: readonly { name: string; content: Buffer }[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ name, content }) => [
      Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name.replaceAll('"', '%22')}"\r\n\r\n`,
      ),
      content,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
}

/** Cut at these places, however many there are. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % bytes.length), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return at
    .slice(1)
    .map((end, i) => bytes.subarray(at[i], end))
    .filter(({ length }) => length > 0);
}

function read(pieces: readonly Buffer[]) {
  return readParts(
    Readable.from(pieces) as AsyncIterable<Buffer>,
    `multipart/form-data; boundary="${BOUNDARY}"`,
    { ...DEFAULT_LIMITS.multipart, maxBodyBytes: 1024 * 1024, maxBytesOf: () => undefined },
  );
}

describe('the multipart reader', () => {
  it('gives back what was written, wherever the pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        async (parts, places) => {
          const seen = [];
          for await (const { name, content } of read(cut(encode(parts), places))) {
            seen.push({ name, content: await buffer(Readable.from(content)) });
          }
          expect(seen).toEqual(parts);
        },
      ),
    );
  });

  it('refuses every beginning of a form with a problem, and nothing else', async () => {
    const form = encode([
      { name: 'a', content: Buffer.from('1') },
      { name: 'b', content: Buffer.from('2') },
    ]);
    for (let length = 0; length < form.length - 2; length++) {
      const drain = async (): Promise<void> => {
        for await (const { content } of read([form.subarray(0, length)])) await content.next();
      };
      await expect(drain()).rejects.toMatchObject({ status: 400 });
    }
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1 })), async (pieces) => {
        const start = Buffer.from(`--${BOUNDARY}\r\n`);
        const drain = async (): Promise<void> => {
          for await (const { content } of read([start, ...pieces.map((p) => Buffer.from(p))])) {
            await content.next();
          }
        };
        await expect(drain()).rejects.toMatchObject({ status: 400 });
      }),
    );
  });
});
