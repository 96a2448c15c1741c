import type { TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';

/** A compiled schema. */
export interface SchemaValidator {
  readonly validator: Validator;
  /** Whether a short value can keep it busy for long, as far as the schema shows. */
  readonly isRisky: boolean;
}

const validators = new Map<string, SchemaValidator>();

/**
 * The compiled validator of a schema, the same one for schemas that say the same: hundreds of routes with
 * an id need one function, not hundreds.
 */
export function validatorOf(schema: TSchema): SchemaValidator {
  const text = spelledOut(schema);
  let known = validators.get(text);
  if (!known) {
    // The type parameters of a validator do not matter here.
    const validator = Compile(comparingOnce(schema) as TSchema) as unknown as Validator;
    known = { validator, isRisky: isRisky(schema) };
    validators.set(text, known);
  }
  return known;
}

/** Everything that a schema says, what TypeBox hides from JSON and the identity of functions included. */
function spelledOut(part: unknown): string {
  if (typeof part === 'function') return `function ${idOf(part)}`;
  if (part instanceof RegExp) return `expression ${part}`;
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

/** Keywords whose values are data, and no schemas. */
const DATA: ReadonlySet<PropertyKey> = new Set(['const', 'enum', 'default', 'examples']);

/**
 * The schema with a check of our own for `uniqueItems`: that of TypeBox builds its list of faults anew
 * for each of them, which takes minutes for what fits into a body. What has no such list is given back
 * as it is.
 */
function comparingOnce(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || part instanceof RegExp) return part;
  if (Array.isArray(part)) {
    const items = part.map(comparingOnce);
    return items.some((item, i) => item !== part[i]) ? items : part;
  }
  const changed: PropertyDescriptorMap = {};
  for (const key of Reflect.ownKeys(part)) {
    if (DATA.has(key)) continue;
    const before = (part as Record<PropertyKey, unknown>)[key];
    const value = comparingOnce(before);
    if (value === before) continue;
    changed[key as string] = { ...Object.getOwnPropertyDescriptor(part, key), value };
  }
  const { uniqueItems, '~refine': refinements = [] } = part as {
    readonly uniqueItems?: unknown;
    readonly '~refine'?: readonly unknown[];
  };
  if (uniqueItems === true) {
    changed['uniqueItems'] = { value: false };
    changed['~refine'] = { value: [...refinements, UNIQUE] };
  }
  if (Reflect.ownKeys(changed).length === 0) return part;
  const all = { ...Object.getOwnPropertyDescriptors(part), ...changed };
  return Object.create(Object.getPrototypeOf(part) as object | null, all);
}

const UNIQUE = { check: hasUniqueItems, error: () => 'must not have duplicate items' };

/** Whether no two items are equal as JSON. Linear in the items, but for sorting keys. */
function hasUniqueItems(value: unknown): boolean {
  if (!Array.isArray(value)) return true;
  const seen = new Set<unknown>();
  for (const item of value) {
    // A mark keeps the text of an object apart from a string that reads the same.
    const key =
      typeof item === 'object' && item !== null ? `json ${canonical(item)}` : markText(item);
    if (seen.has(key)) return false;
    seen.add(key);
  }
  return true;
}

function markText(value: unknown): unknown {
  return typeof value === 'string' ? `text ${value}` : value;
}

/** As JSON, with the keys of objects in one order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))),
        )
      : part,
  );
}

/**
 * Whether a schema has a regular expression that may backtrack, or refers to itself or another one: what
 * has alternatives in alternatives can then be tried twice as often with each level.
 */
function isRisky(part: unknown, seen: Set<object> = new Set()): boolean {
  if (typeof part !== 'object' || part === null || seen.has(part)) return false;
  seen.add(part);
  const { $ref, pattern, patternProperties } = part as Readonly<Record<string, unknown>>;
  if (typeof $ref === 'string') return true;
  if (isPattern(pattern) && mayBacktrack(pattern)) return true;
  if (typeof patternProperties === 'object' && patternProperties !== null) {
    if (Object.keys(patternProperties).some(mayBacktrack)) return true;
  }
  return Reflect.ownKeys(part).some(
    (key) => !DATA.has(key) && isRisky((part as Record<PropertyKey, unknown>)[key], seen),
  );
}

function isPattern(value: unknown): value is string | RegExp {
  return typeof value === 'string' || value instanceof RegExp;
}

/**
 * Whether matching may take longer than one way over the text. An expression that is bound to the
 * beginning, and repeats one character class at most, cannot; of all others nothing is known.
 */
export function mayBacktrack(pattern: string | RegExp): boolean {
  const source = typeof pattern === 'string' ? pattern : pattern.source;
  const skeleton = source.replaceAll(/\\[^]/g, 'x').replaceAll(/\[[^\]]*\]/g, 'x');
  const repeats = skeleton.match(/[*+]|\{\d*,\d*\}/g) ?? [];
  return !skeleton.startsWith('^') || /[|]|\)[*+{?]/.test(skeleton) || repeats.length > 1;
}
