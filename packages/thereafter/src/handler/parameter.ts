import { INVALID } from '@thereafter/di';
import { IsOptional, type TObject, type TSchema } from 'typebox';
import type { Context } from '../context.ts';
import type { InputIssue } from '../response/problem.ts';
import { addIssue, compileCheck, escapePointer } from './check.ts';
import { compileCoercer, type Raw } from './coerce.ts';
import type { Pairs } from './pairs.ts';

/** Compiles the reading of one value: its text is coerced, then checked. */
export function compileValue(
  source: InputIssue['source'],
  name: string,
  schema: TSchema,
): (ctx: Context, raw: Raw | undefined) => unknown {
  const pointer = `/${escapePointer(name)}`;
  const check = compileCheck(schema, source, pointer);
  const coerce = compileCoercer(schema);
  const { default: fallback } = schema as { default?: unknown };
  const isOptional = IsOptional(schema);
  return (ctx, raw) => {
    if (raw !== undefined) return check(ctx, coerce(raw));
    if (fallback !== undefined) return check(ctx, structuredClone(fallback));
    if (isOptional) return undefined;
    addIssue(ctx, { source, pointer, message: 'is required' });
    return INVALID;
  };
}

/**
 * Compiles the reading of an object of values. Keys that the schema does not name are ignored, or
 * refused by `additionalProperties: false`.
 */
export function compileRecord(
  source: InputIssue['source'],
  schema: TObject,
): (ctx: Context, pairs: Pairs) => unknown {
  const check = compileCheck(schema, source, '');
  const fields = Object.entries<TSchema>(schema.properties).map(([name, field]) => ({
    name,
    coerce: compileCoercer(field),
    fallback: (field as { default?: unknown }).default,
  }));
  const refusesOthers =
    (schema as { additionalProperties?: unknown }).additionalProperties === false;
  return (ctx, pairs) => {
    const value: Record<string, unknown> = refusesOthers ? { ...pairs } : {};
    for (const { name, coerce, fallback } of fields) {
      const given = pairs[name];
      if (given !== undefined) value[name] = coerce(given);
      else if (fallback !== undefined) value[name] = structuredClone(fallback);
    }
    return check(ctx, value);
  };
}
