import type { Class, Source } from '@thereafter/di';
import type { Readable } from 'node:stream';
import type { StaticDecode, TObject, TSchema } from 'typebox';
import { exchangeOf, type Context } from '../context.ts';
import type { InputIssue } from '../response/problem.ts';
import { bytesReader, jsonReader, streamReader, textReader } from './body.ts';
import {
  BINARY,
  HttpInput,
  type BodyOptions,
  type Reader,
  type SchemaSource,
} from './http-input.ts';
import { compileRecord, compileValue } from './parameter.ts';

/** What a handler or dependency may ask for by name. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export type Inputs = Readonly<Record<string, SchemaSource<TSchema> | Source<any> | Class<any>>>;

/** The value that a schema gives; what is optional may be absent. */
export type SchemaValue<S extends TSchema> = S extends { '~optional': true }
  ? StaticDecode<S> | undefined
  : StaticDecode<S>;

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

/** The request's body, as JSON; or by its methods as text, bytes or a stream. */
export const body: {
  <S extends TSchema>(schema: S, options?: BodyOptions): SchemaSource<S>;
  /** As text, whatever its type; it must be UTF-8. */
  text(options?: BodyOptions): Source<string>;
  /** As bytes, whatever its type. */
  bytes(options?: BodyOptions): Source<Buffer>;
  /** As it comes, whatever its type; the stream fails with a problem when it is too large or breaks off. */
  stream(options?: BodyOptions): Source<Readable>;
} = Object.assign(
  <S extends TSchema>(schema: S, { maxBytes }: BodyOptions = {}) =>
    new HttpInput({
      source: 'body',
      schema,
      mediaTypes: ['application/json'],
      maxBytes,
      reader: () => jsonReader(schema, maxBytes),
    }) as unknown as SchemaSource<S>, // its schema
  {
    text: ({ maxBytes }: BodyOptions = {}) =>
      rawBody<string>('text/plain', { type: 'string' }, maxBytes, textReader),
    bytes: ({ maxBytes }: BodyOptions = {}) =>
      rawBody<Buffer>('application/octet-stream', BINARY, maxBytes, bytesReader),
    stream: ({ maxBytes }: BodyOptions = {}) =>
      rawBody<Readable>('application/octet-stream', BINARY, maxBytes, streamReader),
  },
);

function rawBody<V>(
  mediaType: string,
  schema: TSchema,
  maxBytes: number | undefined,
  reader: (maxBytes: number | undefined) => Reader,
): Source<V> {
  return new HttpInput({
    source: 'body',
    schema,
    mediaTypes: [mediaType],
    maxBytes,
    reader: () => reader(maxBytes),
  }) as unknown as Source<V>; // the symbol of Source exists in types only
}

/** The whole query string, as an object; or the values of one key. */
export function query<S extends TObject>(schema: S): SchemaSource<S>;
export function query<S extends TSchema>(name: string, schema: S): SchemaSource<S>;
export function query(...args: [TObject] | [string, TSchema]): SchemaSource<TSchema> {
  const source = 'query';
  if (args.length === 1) {
    const [schema] = args;
    return new HttpInput({
      source,
      schema,
      reader: () => {
        const read = compileRecord(source, schema);
        return (ctx) => read(exchangeOf(ctx), ctx.query);
      },
    });
  }
  const [parameter, schema] = args;
  return parameterInput(source, parameter, schema, (ctx) => ctx.query[parameter]);
}

/** A path parameter, percent-decoded. */
export function path<S extends TSchema>(name: string, schema: S): SchemaSource<S> {
  return parameterInput('path', name, schema, (ctx) => ctx.params[name]);
}

/** A request header. Names are not case-sensitive; where a list is wanted, commas separate its items. */
export function header<S extends TSchema>(name: string, schema: S): SchemaSource<S> {
  const key = name.toLowerCase();
  const isList = (schema as { type?: unknown }).type === 'array';
  return parameterInput('header', key, schema, (ctx) => {
    const value = ctx.headers[key];
    return isList && typeof value === 'string'
      ? value.split(',').map((item) => item.trim())
      : value;
  });
}

/** A cookie, decoded. */
export function cookie<S extends TSchema>(name: string, schema: S): SchemaSource<S> {
  return parameterInput('cookie', name, schema, (ctx) => ctx.cookies[name]);
}

function parameterInput<S extends TSchema>(
  source: InputIssue['source'],
  parameter: string,
  schema: S,
  raw: (ctx: Context) => string | readonly string[] | undefined,
): SchemaSource<S> {
  return new HttpInput({
    source,
    parameter,
    schema,
    reader: () => {
      const read = compileValue(source, parameter, schema);
      return (ctx) => read(exchangeOf(ctx), raw(ctx));
    },
  }) as unknown as SchemaSource<S>; // its schema
}
