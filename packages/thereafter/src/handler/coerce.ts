import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** What a path, query or header gives for one name. */
export type Raw = string | readonly string[];

/**
 * Turns text into the value that a schema wants. Text that is not exactly such a value is left as it
 * is, for the check to refuse.
 */
export type Coercer = (raw: Raw) => unknown;

/** What of a JSON schema decides how text is read. */
interface Shape {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly items?: TSchema;
  readonly anyOf?: readonly TSchema[];
}

/**
 * Compiles the strict reading of text: no blanks, no exponents, no leading zeros, `true` and `false`
 * only. A single value becomes a list of one where a list is wanted.
 */
export function compileCoercer(schema: TSchema): Coercer {
  const { type, const: literal, enum: values, items, anyOf } = schema as Shape;
  if (anyOf) return coerceUnion(anyOf);
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
    case 'array': {
      const coerceItem = compileCoercer(items ?? {});
      return (raw) => (typeof raw === 'string' ? [raw] : raw).map((item) => coerceItem(item));
    }
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

/** The first alternative that takes the text wins. */
function coerceUnion(alternatives: readonly TSchema[]): Coercer {
  const branches = alternatives.map((schema) => ({
    coerce: compileCoercer(schema),
    validator: Compile(schema),
  }));
  return (raw) => {
    for (const { coerce, validator } of branches) {
      const value = coerce(raw);
      if (validator.Check(value)) return value;
    }
    return raw;
  };
}
