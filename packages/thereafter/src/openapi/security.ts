import type { Source } from '@thereafter/di';
import { IsOptional, type TSchema } from 'typebox';
import { HttpInput } from '../handler/http-input.ts';
import type { SchemaSource } from '../handler/http-input.ts';
import type { OpenApiOperation, SecurityScheme } from './document.ts';

const schemes = new WeakMap<object, Readonly<Record<string, SecurityScheme>>>();

/**
 * Says in the documentation how an input or dependency knows the client. Every route that reaches it,
 * through other dependencies too, is documented as protected by the scheme. It checks nothing itself.
 *
 * ```ts
 * const token = secures(header('authorization', Type.String()), {
 *   bearer: { type: 'http', scheme: 'bearer' },
 * });
 * ```
 *
 * @param named - The scheme under the name that the document gives it. Several are needed together.
 * @returns The source that was given.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export function secures<X extends SchemaSource<TSchema> | Source<any>>(
  source: X,
  named: Readonly<Record<string, SecurityScheme>>,
): X {
  schemes.set(source, named);
  return source;
}

/** Whether an input is documented as a scheme rather than as a parameter. */
export function isCredential(key: object): boolean {
  return schemes.has(key) || isAuthorization(key);
}

/** What a route that leads to these keys demands: all of the schemes that are on the way. */
export function toSecurity(keys: readonly object[]): {
  readonly named: Readonly<Record<string, SecurityScheme>>;
  readonly security: OpenApiOperation['security'];
} {
  const marked = keys.filter((key) => schemes.has(key));
  // OpenAPI ignores a parameter of this name: it has to be a scheme to be documented at all.
  const plain = marked.length === 0 ? keys.filter(isAuthorization) : [];
  const named: Record<string, SecurityScheme> = {};
  for (const key of marked) Object.assign(named, schemes.get(key));
  if (plain.length > 0) Object.assign(named, AUTHORIZATION);
  const names = Object.keys(named);
  if (names.length === 0) return { named, security: [] };
  const needed = Object.fromEntries(names.map((name) => [name, []]));
  const isOptional = [...marked, ...plain].every(
    (key) => key instanceof HttpInput && IsOptional(key.schema),
  );
  return { named, security: isOptional ? [needed, {}] : [needed] };
}

const AUTHORIZATION: Readonly<Record<string, SecurityScheme>> = {
  authorization: { type: 'apiKey', in: 'header', name: 'Authorization' },
};

function isAuthorization(key: object): boolean {
  return key instanceof HttpInput && key.source === 'header' && key.parameter === 'authorization';
}
