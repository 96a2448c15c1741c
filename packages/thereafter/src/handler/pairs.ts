import { parse } from 'fast-querystring';
import { BadRequest } from '../response/problem.ts';

/** What a query string or form gives: a repeated key gives an array. It has no prototype. */
export type Pairs = Readonly<Record<string, string | string[]>>;

/**
 * Takes `a=1&b=2` apart. Keys are flat: `a[b]` is a name like any other.
 *
 * @param what - For the message, e.g. `query string`.
 * @throws {BadRequest} When the percent-encoding is broken or there are too many pairs.
 */
export function parsePairs(text: string, maxPairs: number, what: string): Pairs {
  // A pair and its separator have two characters at least.
  if (text.length >= maxPairs * 2 && text.split('&', maxPairs + 1).length > maxPairs) {
    throw new BadRequest(`The ${what} has more than ${maxPairs} pairs.`);
  }
  if (text.includes('%') && !isDecodable(text)) {
    throw new BadRequest(`The percent-encoding of the ${what} is broken.`);
  }
  return parse(text) as Pairs;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
