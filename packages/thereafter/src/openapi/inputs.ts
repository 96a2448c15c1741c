import { IsOptional, type TObject, type TSchema } from 'typebox';
import { HttpInput } from '../handler/http-input.ts';
import type { Json, JsonSchema, OpenApiOperation, OpenApiParameter } from './document.ts';
import type { PathTemplate } from './path-template.ts';
import type { SchemaWriter } from './schema-writer.ts';
import { isCredential } from './security.ts';

/** The inputs among the things that a route needs, directly or through its dependencies. */
export function inputsAmong(keys: readonly object[]): HttpInput[] {
  return keys.filter((key) => key instanceof HttpInput);
}

/** The parameters that inputs read, those of the path first. Each is there once. */
export function toParameters(
  inputs: readonly HttpInput[],
  { parameters }: PathTemplate,
  writer: SchemaWriter,
  route: string,
): OpenApiParameter[] {
  const found = new Map<string, OpenApiParameter>();
  const add = (parameter: OpenApiParameter): void => {
    const key = `${parameter.in} ${parameter.name}`;
    const known = found.get(key);
    found.set(key, known ? merge(known, parameter) : parameter);
  };
  for (const { name, key, pattern } of parameters) {
    const readers = inputs.filter(
      ({ source, parameter }) => source === 'path' && parameter === key,
    );
    for (const { schema } of readers) add(toParameter('path', name, schema, writer, route));
    if (readers.length > 0) continue;
    add({ name, in: 'path', required: true, schema: { type: 'string', pattern } });
  }
  for (const input of inputs) {
    const { source, parameter, schema } = input;
    if (source === 'path' || source === 'body' || isCredential(input)) continue;
    if (parameter !== undefined) add(toParameter(source, parameter, schema, writer, route));
    else {
      const { properties } = schema as unknown as TObject; // what is read whole is an object
      for (const [name, field] of Object.entries<TSchema>(properties)) {
        add(toParameter(source, name, field, writer, route));
      }
    }
  }
  return [...found.values()];
}

function toParameter(
  source: OpenApiParameter['in'],
  name: string,
  schema: TSchema,
  writer: SchemaWriter,
  route: string,
): OpenApiParameter {
  const { description, deprecated, ...written } = writer.write(
    schema,
    'in',
    route,
    `${source} '${name}'`,
  ) as JsonSchema & { readonly description?: string; readonly deprecated?: boolean };
  return {
    name,
    in: source,
    required: source === 'path' || !isOmissible(schema),
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated }),
    schema: written,
  };
}

function isOmissible(schema: TSchema): boolean {
  return IsOptional(schema) || (schema as { default?: unknown }).default !== undefined;
}

/** Two readers of one parameter: it has to please both. */
function merge(first: OpenApiParameter, second: OpenApiParameter): OpenApiParameter {
  const required = first.required || second.required;
  return { ...second, ...first, required, schema: both(first.schema, second.schema) };
}

function both(first: JsonSchema, second: JsonSchema): JsonSchema {
  return isSame(first, second) ? first : { allOf: [first, second] };
}

function isSame(first: JsonSchema, second: JsonSchema): boolean {
  return JSON.stringify(first) === JSON.stringify(second);
}

/** The body that inputs read, if one does. */
export function toRequestBody(
  inputs: readonly HttpInput[],
  writer: SchemaWriter,
  route: string,
): OpenApiOperation['requestBody'] {
  const readers = inputs.filter(({ source }) => source === 'body');
  if (readers.length === 0) return undefined;
  const content: Record<string, { readonly schema: JsonSchema }> = {};
  for (const input of readers) {
    const written = writer.write(input.schema, 'in', route, 'the body');
    const schema =
      input.parameter === undefined ? written : toField(input.parameter, input, written);
    for (const type of input.mediaTypes) {
      const known = content[type];
      content[type] = { schema: known ? both(known.schema, schema) : schema };
    }
  }
  const isOptional = readers.every(
    (input) => input.file === 'optional' || isOmissible(input.schema),
  );
  return { required: !isOptional, content };
}

/** A form with one field, as an object with one property. */
function toField(name: string, { schema, file }: HttpInput, written: JsonSchema): JsonSchema {
  const isRequired = file ? file === 'one' : !isOmissible(schema);
  return {
    type: 'object',
    properties: { [name]: file === 'list' ? { type: 'array', items: written } : written },
    ...(isRequired && { required: [name] }),
  };
}

/** One schema for several, where any of them may come. */
export function anyOf(schemas: readonly JsonSchema[]): JsonSchema {
  const different = schemas.filter(
    (schema, i) => schemas.findIndex((s) => isSame(s, schema)) === i,
  );
  return different.length === 1 ? different[0]! : { anyOf: different as readonly Json[] };
}
