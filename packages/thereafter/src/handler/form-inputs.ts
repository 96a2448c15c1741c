import { INVALID, type Source } from '@thereafter/di';
import type { TObject, TSchema } from 'typebox';
import { exchangeOf } from '../context.ts';
import { partsReader } from './body.ts';
import { addIssue, escapePointer } from './check.ts';
import { readForm } from './form-body.ts';
import { BINARY, HttpInput, type BodyOptions, type SchemaSource } from './http-input.ts';
import { compileRecord, compileValue } from './parameter.ts';
import type { FormPart, FormPlan, UploadedFile } from './form.ts';

const FORM_TYPES = ['application/x-www-form-urlencoded', 'multipart/form-data'];
const MULTIPART_TYPES = ['multipart/form-data'];

/** How much of a file `file()` takes. */
export interface FileOptions {
  /** Bytes of one file; default `limits.multipart.maxFileBytes` of the app. Beyond it 413. */
  readonly maxBytes?: number;
}

/**
 * The fields of a form in the body, urlencoded or multipart, as an object; or the values of one field.
 * Text is read by the schema, as in a query string.
 */
export const form: {
  <S extends TObject>(schema: S, options?: BodyOptions): SchemaSource<S>;
  <S extends TSchema>(name: string, schema: S, options?: BodyOptions): SchemaSource<S>;
  /** The parts of a multipart form as they come, files included, without anything written to disk. */
  parts(options?: FileOptions): Source<AsyncIterable<FormPart>>;
} = Object.assign(
  (first: unknown, second?: unknown, third?: BodyOptions): never =>
    (typeof first === 'string'
      ? formField(first, second as TSchema, third)
      : formRecord(first as TObject, second as BodyOptions | undefined)) as never, // typed by the overloads
  {
    parts: ({ maxBytes }: FileOptions = {}) =>
      new HttpInput({
        source: 'body',
        schema: BINARY,
        mediaTypes: MULTIPART_TYPES,
        reader: () => partsReader(maxBytes),
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
      return async (ctx) => {
        const exchange = exchangeOf(ctx);
        return read(exchange, (await readForm(exchange)).fields);
      };
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
      return async (ctx) => {
        const exchange = exchangeOf(ctx);
        return read(exchange, (await readForm(exchange)).fields[parameter]);
      };
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
  count: NonNullable<HttpInput['file']>,
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
      const exchange = exchangeOf(ctx);
      const files = (await readForm(exchange)).files.get(parameter) ?? [];
      if (count === 'list') return files;
      if (files.length === 1 || (files.length === 0 && count === 'optional')) return files[0];
      addIssue(exchange, {
        source: 'body',
        pointer: `/${escapePointer(parameter)}`,
        message: files.length === 0 ? 'is required' : 'must be one file',
      });
      return INVALID;
    },
  }) as unknown as Source<V>; // the symbol of Source exists in types only
}

/** What the inputs of a route want of a form, together; `undefined` when none reads one. */
export function planForm(sources: readonly unknown[]): FormPlan | undefined {
  const inputs = sources.filter((source): source is HttpInput => source instanceof HttpInput);
  const parts = inputs.filter(({ mediaTypes }) => mediaTypes.includes('multipart/form-data'));
  if (parts.length === 0) return undefined;
  const fields = parts.filter(({ file }) => !file);
  const whole = fields.filter(({ parameter }) => parameter === undefined);
  const sizes = fields.map(({ maxBytes }) => maxBytes);
  return {
    maxBytes: sizes.every((size) => size === undefined)
      ? undefined
      : Math.max(...sizes.map((size) => size ?? 0)),
    fields: new Set(fields.flatMap(namesOf)),
    refusesOthers: whole.some(
      ({ schema }) => (schema as { additionalProperties?: unknown }).additionalProperties === false,
    ),
    files: new Map(parts.filter(({ file }) => file).map((p) => [p.parameter!, p.maxBytes])), // files have names
  };
}

function namesOf({ parameter, schema }: HttpInput): string[] {
  if (parameter !== undefined) return [parameter];
  return Object.keys((schema as { properties?: object }).properties ?? {}); // none of parts()
}
