import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

const validators = new Map<string, Validator>();

/**
 * The compiled validator of a schema, the same one for schemas that say the same: hundreds of routes with
 * an id need one function, not hundreds.
 */
export function validatorOf(schema: TSchema): Validator {
  const text = spelledOut(schema);
  let validator = validators.get(text);
  if (!validator) {
    validator = Compile(schema) as unknown as Validator; // its type parameters do not matter here
    validators.set(text, validator);
  }
  return validator;
}

/** Everything that a schema says, what TypeBox hides from JSON and the identity of functions included. */
function spelledOut(part: unknown): string {
  if (typeof part === 'function') return `function ${idOf(part)}`;
  if (typeof part !== 'object' || part === null) return `${typeof part} ${JSON.stringify(part)}`;
  const entries = Reflect.ownKeys(part).map(
    (key) =>
      `${JSON.stringify(String(key))}:${spelledOut((part as Record<PropertyKey, unknown>)[key])}`,
  );
  return `{${entries.join()}}`;
}

const ids = new WeakMap<object, number>();
let lastId = 0;

function idOf(value: object): number {
  const known = ids.get(value);
  if (known !== undefined) return known;
  lastId += 1;
  ids.set(value, lastId);
  return lastId;
}
