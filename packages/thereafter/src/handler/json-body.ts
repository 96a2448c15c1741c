import { parse } from 'secure-json-parse';
import type { Context } from '../context.ts';
import { BadRequest, UnsupportedMediaType } from '../response/problem.ts';
import { readBody } from '../socket/body.ts';

/** Largest body that is read into memory, in bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

/** `application/json`, or a type built on it such as `application/merge-patch+json`. */
const JSON_TYPE = /^application\/(?:json|[\w.!#$&^-]+\+json)\s*(?:;|$)/i;

/**
 * The JSON value of a request's body.
 *
 * @throws {UnsupportedMediaType} When the client does not call it JSON. A missing type counts: a form
 *   of another site can send that without asking.
 * @throws {BadRequest} When it is empty, not JSON, or has a key that would change a prototype.
 */
export async function readJson(ctx: Context): Promise<unknown> {
  const type = ctx.headers['content-type'];
  if (type === undefined || !JSON_TYPE.test(type)) {
    throw new UnsupportedMediaType(
      `The body must be application/json, and is ${type === undefined ? 'without a content-type' : type}.`,
    );
  }
  const text = (await readBody(ctx.raw.req, MAX_BODY_BYTES)).toString();
  if (text === '') throw new BadRequest('The body is empty.');
  try {
    return parse(text);
  } catch (error) {
    throw new BadRequest(`The body is not valid JSON: ${(error as SyntaxError).message}`); // all that parse throws
  }
}
