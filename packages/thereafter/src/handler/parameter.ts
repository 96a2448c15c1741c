import { INVALID } from '@thereafter/di';
import { IsOptional, type TObject, type TSchema } from 'typebox';
import type { InputIssue } from '../response/problem.ts';
import { addIssue, compileCheck, escapePointer, type Findings } from './check.ts';
import { compileCoercer, type Raw } from './coerce.ts';
import type { Pairs } from './pairs.ts';

/** Compiles the reading of one value: its text is coerced, then checked. */
export function compileValue(
  source: InputIssue['source'],
  name: string,
  schema: TSchema,
): (findings: Findings, raw: Raw | undefined) => unknown {
  const pointer = `/${escapePointer(name)}`;
  const coerce = compileCoercer(schema);
  const { default: fallback } = schema as { default?: unknown };
  const check = compileCheck(schema, source, pointer, (raw: Raw | undefined) =>
    raw === undefined ? structuredClone(fallback) : coerce(raw),
  );
  const isOptional = IsOptional(schema);
  return (findings, raw) => {
    if (raw !== undefined || fallback !== undefined) return check(findings, raw);
    if (isOptional) return undefined;
    addIssue(findings, { source, pointer, message: 'is required' });
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
): (findings: Findings, pairs: Pairs) => unknown {
  const readNamed = compileNamed(schema);
  const refusesOthers =
    (schema as { additionalProperties?: unknown }).additionalProperties === false;
  return compileCheck(schema, source, '', (pairs: Pairs) =>
    refusesOthers ? { ...pairs, ...readNamed(pairs) } : readNamed(pairs),
  );
}

/** Compiles the reading of the values that a schema names, defaults included. Nothing is checked. */
export function compileNamed(
  schema: TObject,
): (values: Readonly<Record<string, Raw | undefined>>) => Record<string, unknown> {
  const fields = Object.entries<TSchema>(schema.properties).map(([name, field]) => ({
    name,
    coerce: compileCoercer(field),
    fallback: (field as { default?: unknown }).default,
  }));
  return (values) => {
    const named: Record<string, unknown> = {};
    for (const { name, coerce, fallback } of fields) {
      const given = values[name];
      if (given !== undefined) named[name] = coerce(given);
      else if (fallback !== undefined) named[name] = structuredClone(fallback);
    }
    return named;
  };
}
