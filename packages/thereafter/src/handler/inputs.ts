import { INVALID, type Class, type ExternalSource, type Source } from '@thereafter/di';
import type { Readable } from 'node:stream';
import type { StaticDecode, TObject, TSchema } from 'typebox';
import type { Context } from '../context.ts';
import type { InputIssue } from '../response/problem.ts';
import { bytesReader, jsonReader, partsReader, streamReader, textReader } from './body.ts';
import { addIssue, escapePointer } from './check.ts';
import { readForm, type FormPlan } from './form-body.ts';
import type { FormPart } from './form-part.ts';
import { compileRecord, compileValue } from './parameter.ts';
import type { UploadedFile } from './upload.ts';

/** An input that is read by a schema. It carries the schema in its type, so that inferring stays cheap. */
export interface SchemaSource<S extends TSchema> {
  readonly schema: S;
}

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

/** How much an input takes. */
export interface BodyOptions {
  /** Bytes, after inflating; default `limits.maxBodyBytes` of the app. Beyond it 413. */
  readonly maxBytes?: number;
}

export interface FileOptions {
  /** Bytes of one file; default `limits.multipart.maxFileBytes` of the app. Beyond it 413. */
  readonly maxBytes?: number;
}

type Reader = (ctx: Context) => unknown;

interface HttpInputSpec {
  readonly source: InputIssue['source'];
  /** The path parameter, query key, header, cookie or field; absent where all of the source is read. */
  readonly parameter?: string;
  readonly schema: TSchema;
  /** The types that a body may have. */
  readonly mediaTypes?: readonly string[];
  readonly maxBytes?: number | undefined;
  /** For parts of a form: whether it is a file, or several. */
  readonly file?: 'one' | 'optional' | 'list';
  /** Compiles how it is read. */
  readonly reader: () => Reader;
}

/** A part of the request, as something that can be asked for. */
export class HttpInput implements SchemaSource<TSchema>, ExternalSource {
  readonly kind = 'external';
  readonly carriedBy = 'http';
  readonly source: InputIssue['source'];
  readonly parameter: string | undefined;
  readonly schema: TSchema;
  readonly mediaTypes: readonly string[];
  readonly maxBytes: number | undefined;
  readonly file: HttpInputSpec['file'];
  readonly reader: () => Reader;

  constructor({
    source,
    parameter,
    schema,
    mediaTypes = [],
    maxBytes,
    file,
    reader,
  }: HttpInputSpec) {
    this.source = source;
    this.parameter = parameter;
    this.schema = schema;
    this.mediaTypes = mediaTypes;
    this.maxBytes = maxBytes;
    this.file = file;
    this.reader = reader;
  }

  get name(): string {
    return this.parameter === undefined
      ? `the ${this.source}`
      : `${this.source} '${this.parameter}'`;
  }
}

const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'];
const MULTIPART_TYPES = ['multipart/form-data'];

/** What the inputs of a route want of a form, together; nothing when none reads one. */
export function planForm(sources: readonly unknown[]): FormPlan | undefined {
  const inputs = sources.filter((source): source is HttpInput => source instanceof HttpInput);
  const parts = inputs.filter(({ mediaTypes }) => mediaTypes.includes('multipart/form-data'));
  if (parts.length === 0) return undefined;
  const sizes = parts.filter(({ file }) => !file).map(({ maxBytes }) => maxBytes);
  return {
    maxBytes: sizes.every((size) => size === undefined)
      ? undefined
      : Math.max(...sizes.map((size) => size ?? 0)),
    files: new Map(parts.filter(({ file }) => file).map((p) => [p.parameter!, p.maxBytes])), // files have names
  };
}

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

/** How OpenAPI 3.1 describes bytes: by their media type alone. */
const BINARY: TSchema = {};

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
        return (ctx) => read(ctx, ctx.query);
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
    return isList && typeof value === 'string' ? value.split(/[ \t]*,[ \t]*/) : value;
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
      return (ctx) => read(ctx, raw(ctx));
    },
  }) as unknown as SchemaSource<S>; // its schema
}

/**
 * The fields of a form in the body, urlencoded or multipart, as an object; or the values of one field.
 * Text is read by the schema, as in a query string.
 */
export const form: {
  <S extends TObject>(schema: S, options?: BodyOptions): SchemaSource<S>;
  <S extends TSchema>(name: string, schema: S, options?: BodyOptions): SchemaSource<S>;
  /** The parts of a multipart form as they come, files included, without anything written to disk. */
  parts(): Source<AsyncIterable<FormPart>>;
} = Object.assign(
  (first: unknown, second?: unknown, third?: BodyOptions): never =>
    (typeof first === 'string'
      ? formField(first, second as TSchema, third)
      : formRecord(first as TObject, second as BodyOptions | undefined)) as never, // typed by the overloads
  {
    parts: () =>
      new HttpInput({
        source: 'body',
        schema: BINARY,
        mediaTypes: MULTIPART_TYPES,
        reader: partsReader,
      }) as unknown as Source<AsyncIterable<FormPart>>, // the symbol of Source exists in types only
  },
);

function formRecord(schema: TObject, { maxBytes }: BodyOptions = {}): HttpInput {
  return new HttpInput({
    source: 'body',
    schema,
    mediaTypes: FORM_TYPES,
    maxBytes,
    reader: () => {
      const read = compileRecord('body', schema);
      return async (ctx) => read(ctx, (await readForm(ctx)).fields);
    },
  });
}

function formField(parameter: string, schema: TSchema, { maxBytes }: BodyOptions = {}): HttpInput {
  return new HttpInput({
    source: 'body',
    parameter,
    schema,
    mediaTypes: FORM_TYPES,
    maxBytes,
    reader: () => {
      const read = compileValue('body', parameter, schema);
      return async (ctx) => read(ctx, (await readForm(ctx)).fields[parameter]);
    },
  });
}

/**
 * A file of a multipart form, written to disk while it comes. It stays there for the background tasks
 * of the request, and is removed after them.
 */
export const file: {
  (name: string, options?: FileOptions): Source<UploadedFile>;
  /** A file that may be missing. */
  optional(name: string, options?: FileOptions): Source<UploadedFile | undefined>;
  /** All files of one name; none is fine. */
  list(name: string, options?: FileOptions): Source<readonly UploadedFile[]>;
} = Object.assign(
  (name: string, options?: FileOptions) => fileInput<UploadedFile>(name, 'one', options),
  {
    optional: (name: string, options?: FileOptions) =>
      fileInput<UploadedFile | undefined>(name, 'optional', options),
    list: (name: string, options?: FileOptions) =>
      fileInput<readonly UploadedFile[]>(name, 'list', options),
  },
);

function fileInput<V>(
  parameter: string,
  count: NonNullable<HttpInputSpec['file']>,
  { maxBytes }: FileOptions = {},
): Source<V> {
  return new HttpInput({
    source: 'body',
    parameter,
    schema: BINARY,
    mediaTypes: MULTIPART_TYPES,
    maxBytes,
    file: count,
    reader: () => async (ctx) => {
      const files = (await readForm(ctx)).files.get(parameter) ?? [];
      if (count === 'list') return files;
      if (files.length === 1 || (files.length === 0 && count === 'optional')) return files[0];
      addIssue(ctx, {
        source: 'body',
        pointer: `/${escapePointer(parameter)}`,
        message: files.length === 0 ? 'is required' : 'must be one file',
      });
      return INVALID;
    },
  }) as unknown as Source<V>; // the symbol of Source exists in types only
}
