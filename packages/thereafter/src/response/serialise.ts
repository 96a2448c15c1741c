import { IsArray, IsObject, IsOptional, type TSchema } from 'typebox';
import { Clean, Clone } from 'typebox/value';

/** Turns a handler's value into JSON text. */
export type Serialiser = (value: unknown) => string;

/**
 * Compiles a serialiser that sends only what the schema names, nested and in arrays, so that a field
 * like a password hash cannot leave by accident.
 */
export function compileSerialiser(schema: TSchema | undefined): Serialiser {
  if (!schema) return JSON.stringify;
  const filter = compileFilter(schema);
  return filter ? (value) => JSON.stringify(filter(value)) : JSON.stringify;
}

type Filter = (value: unknown) => unknown;

/** Copies what a schema names. Nothing is returned for schemas whose values have no parts to hide. */
function compileFilter(schema: TSchema): Filter | undefined {
  if (IsObject(schema) && !('additionalProperties' in schema))
    return objectFilter(schema.properties);
  if (IsArray(schema)) {
    const filter = compileFilter(schema.items);
    return filter && ((value) => (Array.isArray(value) ? value.map(filter) : value));
  }
  const { type } = schema as { type?: unknown };
  if (typeof type === 'string' && type !== 'object' && type !== 'array') return undefined;
  // Unions, intersections, records, references: TypeBox's own, on a copy because it changes its argument.
  return (value) => Clean(schema, Clone(value));
}

function objectFilter(properties: Readonly<Record<string, TSchema>>): Filter {
  const fields = Object.entries(properties).map(
    ([name, schema]) => [name, compileFilter(schema), IsOptional(schema)] as const,
  );
  return (value) => {
    if (typeof value !== 'object' || value === null) return value;
    const from = value as Record<string, unknown>;
    const kept: Record<string, unknown> = {};
    for (const [name, filter, isOptional] of fields) {
      const part = from[name];
      if (part === undefined && isOptional) continue;
      kept[name] = filter ? filter(part) : part;
    }
    return kept;
  };
}
