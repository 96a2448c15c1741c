import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';
import type { Context } from '../context.ts';
import { BadRequest, UnsupportedMediaType } from '../response/problem.ts';
import { readBody } from '../socket/body.ts';

/** `application/json`, or a type built on it such as `application/merge-patch+json`. */
const JSON_TYPE = /^application\/(?:json|[\w.!#$&^-]+\+json)\s*(?:;|$)/i;

/**
 * The JSON value of a request's body.
 *
 * @param maxBytes - Default `limits.maxBodyBytes`.
 * @throws {UnsupportedMediaType} When the client does not call it JSON. A missing type counts: a form
 *   of another site can send that without asking.
 * @throws {BadRequest} When it is empty, not JSON, nested too deeply, or has a key that would change a
 *   prototype.
 */
export async function readJson(ctx: Context, maxBytes: number | undefined): Promise<unknown> {
  const type = ctx.headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new UnsupportedMediaType(
      `The body must be application/json, and is ${type === undefined ? 'without a content-type' : type}.`,
    );
  }
  const bytes = await readBody(ctx, maxBytes ?? ctx.limits.maxBodyBytes);
  if (bytes.length === 0) throw new BadRequest('The body is empty.');
  if (!isUtf8(bytes)) throw new BadRequest('The body is not UTF-8.');
  const { maxJsonDepth } = ctx.limits;
  if (isDeeperThan(bytes, maxJsonDepth)) {
    throw new BadRequest(`The body is nested more than ${maxJsonDepth} levels deep.`);
  }
  try {
    return parse(bytes.toString());
  } catch (error) {
    throw new BadRequest(`The body is not valid JSON: ${(error as SyntaxError).message}`); // all that parse throws
  }
}

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
