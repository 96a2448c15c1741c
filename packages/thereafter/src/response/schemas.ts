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
 * Whether there is a schema for each status. A schema has no key that is a number, and a record of them
 * has no other.
 */
export function isByStatus(
  response: ResponseSchemas,
): response is Readonly<Record<number, TSchema>> {
  const keys = Object.keys(response);
  return keys.length > 0 && keys.every((key) => /^[1-5]\d\d$/.test(key));
}
