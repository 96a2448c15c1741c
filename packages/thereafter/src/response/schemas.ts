import type { Static, TSchema } from 'typebox';

/** What a route may send: one schema for every status, or one for each. */
export type ResponseSchemas = TSchema | Readonly<Record<number, TSchema>>;

/** The values that response schemas allow; with one for each status, those of all of them. */
export type ResponseValue<S> = [keyof S] extends [never]
  ? unknown
  : keyof S extends number
    ? Static<Extract<S[keyof S], TSchema>>
    : S extends TSchema
      ? Static<S>
      : unknown;

/**
 * The schemas of a route by status. One schema alone stands for the route's own status.
 *
 * @param status - The route's, where its reply has none of its own.
 */
export function schemasByStatus(
  response: ResponseSchemas | undefined,
  status: number,
): ReadonlyMap<number, TSchema> {
  if (response === undefined) return new Map();
  if (!isByStatus(response)) return new Map([[status, response]]);
  return new Map(Object.entries(response).map(([code, schema]) => [Number(code), schema]));
}

/** A schema has no key that is a number, and a record of them has no other. */
export function isByStatus(
  response: ResponseSchemas,
): response is Readonly<Record<number, TSchema>> {
  const keys = Object.keys(response);
  return keys.length > 0 && keys.every((key) => /^[1-5]\d\d$/.test(key));
}
