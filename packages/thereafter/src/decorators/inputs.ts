import { parameterDecorator, type CheckedParam, type Key, type Source } from '@thereafter/di';
import type { Readable } from 'node:stream';
import type { TObject, TSchema } from 'typebox';
import type { FormPart } from '../handler/form.ts';
import { file, form, type FileOptions } from '../handler/form-inputs.ts';
import type { BodyOptions, SchemaSource } from '../handler/http-input.ts';
import { body, cookie, header, path, query, type SchemaValue } from '../handler/inputs.ts';
import type { UploadedFile } from '../handler/form.ts';

// The inputs as decorators: the same sources, under the same names in capitals.

/** The request's body, as JSON; or by its methods as text, bytes or a stream. */
export const Body: {
  <S extends TSchema>(schema: S, options?: BodyOptions): CheckedParam<SchemaValue<S>>;
  /** As text, whatever its type; it must be UTF-8. */
  text(options?: BodyOptions): CheckedParam<string>;
  /** As bytes, whatever its type. */
  bytes(options?: BodyOptions): CheckedParam<Buffer>;
  /** As it comes, whatever its type; the stream fails with a problem when it is too large or breaks off. */
  stream(options?: BodyOptions): CheckedParam<Readable>;
} = Object.assign(
  <S extends TSchema>(schema: S, options?: BodyOptions) =>
    decorator<SchemaValue<S>>(body(schema, options)),
  {
    text: (options?: BodyOptions) => decorator<string>(body.text(options)),
    bytes: (options?: BodyOptions) => decorator<Buffer>(body.bytes(options)),
    stream: (options?: BodyOptions) => decorator<Readable>(body.stream(options)),
  },
);

/** The whole query string, as an object; or the values of one key. */
export function Query<S extends TObject>(schema: S): CheckedParam<SchemaValue<S>>;
export function Query<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>>;
export function Query(...args: [TObject] | [string, TSchema]): CheckedParam<unknown> {
  return decorator(args.length === 1 ? query(args[0]) : query(args[0], args[1]));
}

/** A path parameter, percent-decoded. */
export function Path<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(path(name, schema));
}

/** A request header. Names are not case-sensitive; where a list is wanted, commas separate its items. */
export function Header<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(header(name, schema));
}

/** A cookie, decoded. */
export function Cookie<S extends TSchema>(name: string, schema: S): CheckedParam<SchemaValue<S>> {
  return decorator(cookie(name, schema));
}

/**
 * The fields of a form in the body, urlencoded or multipart, as an object; or the values of one field.
 * Text is read by the schema, as in a query string.
 */
export const Form: {
  <S extends TObject>(schema: S, options?: BodyOptions): CheckedParam<SchemaValue<S>>;
  <S extends TSchema>(name: string, schema: S, options?: BodyOptions): CheckedParam<SchemaValue<S>>;
  /** The parts of a multipart form as they come, files included, without anything written to disk. */
  parts(options?: FileOptions): CheckedParam<AsyncIterable<FormPart>>;
} = Object.assign(
  (...args: unknown[]): never =>
    decorator((form as (...args: unknown[]) => SchemaSource<TSchema>)(...args)) as never, // typed by the overloads
  {
    parts: (options?: FileOptions) => decorator<AsyncIterable<FormPart>>(form.parts(options)),
  },
);

/**
 * A file of a multipart form, written to disk while it comes. It stays there for the background tasks
 * of the request, and is removed after them.
 */
export const File: {
  (name: string, options?: FileOptions): CheckedParam<UploadedFile>;
  /** A file that may be missing. */
  optional(name: string, options?: FileOptions): CheckedParam<UploadedFile | undefined>;
  /** All files of one name; none is fine. */
  list(name: string, options?: FileOptions): CheckedParam<readonly UploadedFile[]>;
} = Object.assign(
  (name: string, options?: FileOptions) => decorator<UploadedFile>(file(name, options)),
  {
    optional: (name: string, options?: FileOptions) =>
      decorator<UploadedFile | undefined>(file.optional(name, options)),
    list: (name: string, options?: FileOptions) =>
      decorator<readonly UploadedFile[]>(file.list(name, options)),
  },
);

function decorator<V>(source: SchemaSource<TSchema> | Source<unknown>): CheckedParam<V> {
  return parameterDecorator(source as unknown as Key); // an HttpInput, which is a key
}
