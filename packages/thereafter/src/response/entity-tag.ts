import type { IncomingHttpHeaders } from 'node:http';
import { PreconditionFailed } from './problem.ts';

/**
 * Compares the tag of an answer to GET or HEAD with those that the client has, or insists on.
 *
 * @param headers - Of the request: `If-Match` is compared strongly, `If-None-Match` weakly.
 * @param tag - With its quotes; a weak one begins with `W/`.
 * @returns Whether the client has it already: the answer is a 304 then.
 * @throws {PreconditionFailed} When the client wants another version.
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
 */
export function isNotModified(headers: IncomingHttpHeaders, tag: string): boolean {
  const { 'if-match': wanted, 'if-none-match': known } = headers;
  if (wanted !== undefined && !lists(wanted, tag, isSameStrongly)) {
    throw new PreconditionFailed(
      isWeak(tag)
        ? 'The tag of this answer is weak, and cannot be asked to match.'
        : 'There is another version than the one that was asked for.',
    );
  }
  return known !== undefined && lists(known, tag, isSameWeakly);
}

type Comparison = (one: string, other: string) => boolean;

const isSameStrongly: Comparison = (one, other) => one === other && !isWeak(one);
const isSameWeakly: Comparison = (one, other) => opaque(one) === opaque(other);

const isWeak = (tag: string): boolean => tag.startsWith('W/');
const opaque = (tag: string): string => (isWeak(tag) ? tag.slice(2) : tag);

/** Whether a list of tags, or a star, holds a tag. */
function lists(list: string, tag: string, isSame: Comparison): boolean {
  if (list.trim() === '*') return true;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((each) => isSame(each, tag));
}
