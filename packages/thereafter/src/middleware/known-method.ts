const KNOWN = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/**
 * The method as telemetry names it: what clients make up would be a series of its own for each.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export function knownMethod(method: string): string {
  return KNOWN.has(method) ? method : '_OTHER';
}
