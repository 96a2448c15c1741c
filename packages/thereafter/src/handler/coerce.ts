import { ArgumentError } from '@thereafter/di';
import type { TSchema } from 'typebox';
import { validatorOf } from './validator.ts';

/** What a path, query or header gives for one name. */
export type Raw = string | readonly string[];

/**
 * Turns text into the value that a schema wants. Text that is not exactly such a value is left as it
 * is, for the check to refuse.
 */
export type Coercer = (raw: Raw) => unknown;

/** What of a JSON schema decides how text is read. */
interface Shape {
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  /** Of a tuple: a schema for each place. */
  readonly items?: TSchema | readonly TSchema[];
  readonly anyOf?: readonly TSchema[];
  readonly allOf?: readonly TSchema[];
}

/**
 * Compiles the strict reading of text: no blanks, no exponents, no leading zeros, `true` and `false`
 * only. A single value becomes a list of one where a list is wanted.
 */
export function compileCoercer(schema: TSchema): Coercer {
  const { type, const: literal, enum: values, items, anyOf, allOf } = schema as Shape;
  if (anyOf) return coerceUnion(anyOf);
  if (allOf) return coerceIntersection(allOf);
  if (type !== undefined && typeof type !== 'string') {
    return coerceUnion(type.map((one) => ({ ...schema, type: one })));
  }
  if (values) return coerceTo(values);
  if (literal !== undefined) return coerceTo([literal]);
  switch (type) {
    case 'integer':
      return single((text) => (INTEGER.test(text) ? exactNumber(text) : text));
    case 'number':
      return single((text) => (NUMBER.test(text) ? Number(text) : text));
    case 'boolean':
      return single((text) => (text === 'true' ? true : text === 'false' ? false : text));
    case 'null':
      return single((text) => (text === 'null' ? null : text));
    case 'array':
      return coerceList(items ?? {});
    case 'object':
      throw new ArgumentError(
        'An object cannot be read from one text: query strings, headers, cookies and forms are flat. Use a JSON body.',
      );
    default:
      return (raw) => raw;
  }
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;

/** An integer beyond 2^53 would silently become another one. */
function exactNumber(text: string): number | string {
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : text;
}

function single(coerce: (text: string) => unknown): Coercer {
  return (raw) => (typeof raw === 'string' ? coerce(raw) : raw);
}

function coerceTo(values: readonly unknown[]): Coercer {
  const byText = new Map(values.map((value) => [String(value), value]));
  return single((text) => (byText.has(text) ? byText.get(text) : text));
}

function coerceList(items: TSchema | readonly TSchema[]): Coercer {
  const coercers = [items].flat().map((item) => compileCoercer(item as TSchema));
  const isTuple = Array.isArray(items);
  return (raw) =>
    (typeof raw === 'string' ? [raw] : raw).map((item, i) => {
      const coerce = coercers[isTuple ? i : 0];
      return coerce ? coerce(item) : item;
    });
}

/** The part that wants something else than text decides. */
function coerceIntersection(parts: readonly TSchema[]): Coercer {
  const coercers = parts.map((part) => compileCoercer(part));
  return (raw) => {
    for (const coerce of coercers) {
      const value = coerce(raw);
      if (value !== raw) return value;
    }
    return raw;
  };
}

/** The first alternative that takes the text wins. */
function coerceUnion(alternatives: readonly TSchema[]): Coercer {
  const branches = alternatives.map((schema) => ({
    coerce: compileCoercer(schema),
    validator: validatorOf(schema).validator,
  }));
  return (raw) => {
    for (const { coerce, validator } of branches) {
      const value = coerce(raw);
      if (validator.Check(value)) return value;
    }
    return raw;
  };
}
