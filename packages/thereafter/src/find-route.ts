import type { Match, Miss, Router } from '@thereafter/router';
import type { CompiledRoute } from './compile-route.ts';
import type { Exchange } from './exchange.ts';
import { BadRequest, MethodNotAllowed, NotFound, UriTooLong } from './response/problem.ts';
import { Reply } from './response/reply.ts';
import { unknownMethod } from './socket/refusal.ts';

/**
 * Finds the route of a request and notes it on its exchange. Answers OPTIONS of a known path itself.
 *
 * @throws {BadRequest} When the percent-encoding of the path is broken.
 * @throws {NotFound} When no route has the path.
 * @throws {MethodNotAllowed} When routes have the path, but none for the method.
 * @throws {UriTooLong} When a segment of the path is longer than 1,024 characters.
 * @throws {Problem} 501 for a method that this server does not know.
 */
export function findRoute(
  exchange: Exchange,
  router: Router<CompiledRoute>,
): CompiledRoute | Reply {
  const { method, target } = exchange;
  const found: Match<CompiledRoute> | Miss = router.find(method, target);
  if (typeof found === 'object') {
    exchange.route = found.store;
    exchange.params = found.params;
    return found.store;
  }
  if (found === 'malformed') throw new BadRequest('The percent-encoding of the path is broken.');
  if (found === 'too-long') throw new UriTooLong('A path segment is longer than 1024 characters.');
  if (!METHODS.has(method)) throw unknownMethod();
  const allowed = router.allowedMethods(target);
  if (method === 'TRACE') throw new MethodNotAllowed(allowed); // it would echo cookies
  if (target === '*') return toOptionsReply(allowed);
  if (allowed.length === 0) throw new NotFound(`There is nothing at ${exchange.path}.`);
  if (method !== 'OPTIONS') throw new MethodNotAllowed(allowed);
  return toOptionsReply(allowed);
}

/** The path parameters of a request, for who asks before its route is found. */
export function findParams(
  router: Router<CompiledRoute>,
  method: string,
  target: string,
): Readonly<Record<string, string>> {
  const found = router.find(method, target);
  return typeof found === 'object' ? found.params : NO_PARAMS;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze({ __proto__: null }) as never;

const METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
]);

function toOptionsReply(allowed: readonly string[]): Reply {
  return new Reply(204, undefined, undefined, new Headers({ allow: allowed.join(', ') }));
}
