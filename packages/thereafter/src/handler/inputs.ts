import { INVALID, type Class, type ExternalSource, type Source } from '@thereafter/di';
import { IsOptional, type Static, type TObject, type TSchema } from 'typebox';
import { Default } from 'typebox/value';
import type { Context } from '../context.ts';
import type { InputIssue } from '../response/problem.ts';
import { addIssue, compileCheck, escapePointer } from './check.ts';
import { compileCoercer, type Raw } from './coerce.ts';
import { readJson } from './json-body.ts';

/** An input that is read by a schema. It carries the schema in its type, so that inferring stays cheap. */
export interface SchemaSource<S extends TSchema> {
  readonly schema: S;
}

/** What a handler or dependency may ask for by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export type Inputs = Readonly<Record<string, SchemaSource<TSchema> | Source<any> | Class<any>>>;

/** The value that a schema gives; what is optional may be absent. */
export type SchemaValue<S extends TSchema> = S extends { '~optional': true }
  ? Static<S> | undefined
  : Static<S>;

/** The value that an input gives. */
export type Gives<X> =
  X extends SchemaSource<infer S>
    ? SchemaValue<S>
    : X extends Source<infer V>
      ? V
      : X extends Class<infer T>
        ? T
        : never;

/** The values of a record of inputs. */
export type Values<I> = { [K in keyof I]: Gives<I[K]> };

/** A part of the request, as something that can be asked for. */
export class HttpInput<S extends TSchema> implements SchemaSource<S>, ExternalSource {
  readonly kind = 'external';
  readonly carriedBy = 'http';
  readonly source: InputIssue['source'];
  /** The path parameter, query key or header; absent where all of the source is read. */
  readonly parameter: string | undefined;
  readonly schema: S;

  constructor(source: InputIssue['source'], parameter: string | undefined, schema: S) {
    this.source = source;
    this.parameter = parameter;
    this.schema = schema;
  }

  get name(): string {
    return this.parameter === undefined
      ? `the ${this.source}`
      : `${this.source} '${this.parameter}'`;
  }

  reader(): (ctx: Context) => unknown {
    const { source, parameter, schema } = this;
    if (source === 'body') return bodyReader(schema);
    if (parameter === undefined) return recordReader(schema as unknown as TObject); // see `query`
    return valueReader(source, parameter, schema);
  }
}

/** The request's body, as JSON. */
export function body<S extends TSchema>(schema: S): SchemaSource<S> {
  return new HttpInput('body', undefined, schema);
}

/** The whole query string, as an object; or the values of one key. */
export function query<S extends TObject>(schema: S): SchemaSource<S>;
export function query<S extends TSchema>(name: string, schema: S): SchemaSource<S>;
export function query(...args: [TObject] | [string, TSchema]): SchemaSource<TSchema> {
  return args.length === 1
    ? new HttpInput<TSchema>('query', undefined, args[0])
    : new HttpInput('query', args[0], args[1]);
}

/** A path parameter, percent-decoded. */
export function path<S extends TSchema>(name: string, schema: S): SchemaSource<S> {
  return new HttpInput('path', name, schema);
}

/** A request header. Names are not case-sensitive. */
export function header<S extends TSchema>(name: string, schema: S): SchemaSource<S> {
  return new HttpInput('header', name.toLowerCase(), schema);
}

function bodyReader(schema: TSchema): (ctx: Context) => unknown {
  const check = compileCheck(schema, 'body', '');
  const hasDefaults = JSON.stringify(schema).includes('"default":');
  return async (ctx) => {
    const value = await readJson(ctx);
    return check(ctx, hasDefaults ? Default(schema, value) : value);
  };
}

function valueReader(
  source: 'query' | 'path' | 'header' | 'cookie' | 'body',
  parameter: string,
  schema: TSchema,
): (ctx: Context) => unknown {
  const read = rawReader(source, parameter);
  const pointer = `/${escapePointer(parameter)}`;
  const check = compileCheck(schema, source, pointer);
  const coerce = compileCoercer(schema);
  const { default: fallback } = schema as { default?: unknown };
  const isOptional = IsOptional(schema);
  return (ctx) => {
    const raw = read(ctx);
    if (raw !== undefined) return check(ctx, coerce(raw));
    if (fallback !== undefined) return structuredClone(fallback);
    if (isOptional) return undefined;
    addIssue(ctx, { source, pointer, message: 'is required' });
    return INVALID;
  };
}

function rawReader(source: string, parameter: string): (ctx: Context) => Raw | undefined {
  switch (source) {
    case 'path':
      return (ctx) => ctx.params[parameter];
    case 'header':
      return (ctx) => ctx.headers[parameter];
    default:
      return (ctx) => ctx.query[parameter];
  }
}

/** Reads what the schema names. Other keys are ignored, or refused by `additionalProperties: false`. */
function recordReader(schema: TObject): (ctx: Context) => unknown {
  const check = compileCheck(schema, 'query', '');
  const fields = Object.entries<TSchema>(schema.properties).map(([name, field]) => ({
    name,
    coerce: compileCoercer(field),
    fallback: (field as { default?: unknown }).default,
  }));
  const refusesOthers =
    (schema as { additionalProperties?: unknown }).additionalProperties === false;
  return (ctx) => {
    const { query: raw } = ctx;
    const value: Record<string, unknown> = refusesOthers ? { ...raw } : {};
    for (const { name, coerce, fallback } of fields) {
      const given = raw[name];
      if (given !== undefined) value[name] = coerce(given);
      else if (fallback !== undefined) value[name] = structuredClone(fallback);
    }
    return check(ctx, value);
  };
}
