import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';
import type { Exchange } from '../exchange.ts';
import { BadRequest, UnsupportedMediaType } from '../response/problem.ts';
import { readBody } from '../socket/body.ts';

/** `application/json`, or a type built on it such as `application/merge-patch+json`. */
const JSON_TYPE = /^application\/(?:json|[\w.!#$&^-]+\+json)\s*(?:;|$)/i;

/**
 * The JSON value of a request's body, given to `use` with its size in bytes; the result is passed on.
 *
 * @param maxBytes - Default `limits.maxBodyBytes`.
 * @throws {UnsupportedMediaType} When the client does not call it JSON. A missing type counts: a form
 *   of another site can send that without asking.
 * @throws {BadRequest} When it is empty, not JSON, nested too deeply, or has a key that would change a
 *   prototype.
 */
export function readJson<T>(
  exchange: Exchange,
  maxBytes: number | undefined,
  use: (value: unknown, exchange: Exchange, size: number) => T,
): Promise<T> {
  const type = exchange.req.headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new UnsupportedMediaType(
      `The body must be application/json, and is ${type === undefined ? 'without a content-type' : type}.`,
    );
  }
  const { maxJsonDepth } = exchange.app.limits;
  return readBody(exchange, maxBytes).then((bytes) =>
    use(parseJson(bytes, maxJsonDepth), exchange, bytes.length),
  );
}

function parseJson(bytes: Buffer, maxDepth: number): unknown {
  if (bytes.length === 0) throw new BadRequest('The body is empty.');
  if (!isUtf8(bytes)) throw new BadRequest('The body is not UTF-8.');
  if (isDeeperThan(bytes, maxDepth)) {
    throw new BadRequest(`The body is nested more than ${maxDepth} levels deep.`);
  }
  const text = bytes.toString();
  try {
    return needsCare(text) ? parse(text) : JSON.parse(text);
  } catch (error) {
    throw new BadRequest(`The body is not valid JSON: ${(error as SyntaxError).message}`); // all that either throws
  }
}

/** Whether it may name a prototype, in letters or escapes, or begins with a byte order mark. */
function needsCare(text: string): boolean {
  return (
    text.includes('__proto__') ||
    text.includes('constructor') ||
    text.includes('\\u') ||
    text.charCodeAt(0) === BYTE_ORDER_MARK
  );
}

const BYTE_ORDER_MARK = 0xfeff;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Looked at before parsing, which would build all of it. */
function isDeeperThan(json: Buffer, maxDepth: number): boolean {
  if (json.length <= maxDepth) return false;
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json[i]) {
      case QUOTE:
        for (i++; i < json.length && json[i] !== QUOTE; i++) if (json[i] === BACKSLASH) i++;
        break;
      case OPEN_BRACKET:
      case OPEN_BRACE:
        if (++depth > maxDepth) return true;
        break;
      case CLOSE_BRACKET:
      case CLOSE_BRACE:
        depth--;
    }
  }
  return false;
}
