import { promisify } from 'node:util';
import { brotliCompress, constants, gzip, zstdCompress, type BrotliOptions } from 'node:zlib';

/** A content coding that answers can have. */
export type Encoding = 'br' | 'zstd' | 'gzip';

/** All of them, the best first. */
export const ENCODINGS: readonly Encoding[] = ['br', 'zstd', 'gzip'];

/** A body below this is not worth coding. */
export const MIN_ENCODED_BYTES = 1024;

/**
 * The encoding that a client likes best, of those that there are. The first of them is chosen where it
 * likes several equally.
 *
 * @param accepted - The `accept-encoding` of the request.
 * @returns `undefined` when the client is to get the body as it is.
 * @see https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding
 */
export function chooseEncoding(
  accepted: string | string[] | undefined,
  encodings: readonly Encoding[],
): Encoding | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const part of accepted.toString().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase());
    const q = parameters.find((each) => each.startsWith('q='))?.slice(2);
    weights.set(name === 'x-gzip' ? 'gzip' : name, q === undefined ? 1 : Number(q) || 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  let best: Encoding | undefined;
  // Not coding is worth what is said of it, and otherwise less than anything that is accepted.
  let bestWeight = weights.get('identity') ?? 0;
  for (const encoding of encodings) {
    const weight = weightOf(encoding);
    const isBetter = best === undefined ? weight >= bestWeight : weight > bestWeight;
    if (weight === 0 || !isBetter) continue;
    best = encoding;
    bestWeight = weight;
  }
  return best;
}

/** The default level of brotli, 11, is made for what is compressed once: it takes a hundred times as long as 4. */
export const BROTLI: BrotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } };

const gzipWhole = promisify(gzip);
const brotliWhole = promisify(brotliCompress);
const zstdWhole = promisify(zstdCompress);

/** Codes a whole body, off the main thread. */
export function encode(body: string | Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  switch (encoding) {
    case 'br':
      return brotliWhole(body, BROTLI);
    case 'gzip':
      return gzipWhole(body);
    case 'zstd':
      return zstdWhole(body);
  }
}
