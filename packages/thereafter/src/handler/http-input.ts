import type { ExternalSource } from '@thereafter/di';
import type { TSchema } from 'typebox';
import type { Context } from '../context.ts';
import { assertGiven } from '../given.ts';
import type { InputIssue } from '../response/problem.ts';

/** An input that is read by a schema. It carries the schema in its type, so that inferring stays cheap. */
export interface SchemaSource<S extends TSchema> {
  readonly schema: S;
}

/** How much an input takes. */
export interface BodyOptions {
  /** Bytes, after inflating; default `limits.maxBodyBytes` of the app. Beyond it 413. */
  readonly maxBytes?: number;
}

/** How OpenAPI 3.1 describes bytes: by their media type alone. */
export const BINARY: TSchema = {};

export type Reader = (ctx: Context) => unknown;

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
  readonly #compile: () => Reader;
  #reader: Reader | undefined = undefined;

  constructor({
    source,
    parameter,
    schema,
    mediaTypes = [],
    maxBytes,
    file,
    reader,
  }: HttpInputSpec) {
    const name = `the input from ${source}`;
    if (parameter !== undefined) assertGiven(`The name of ${name}`, parameter, 'a text');
    assertGiven(`The schema of ${name}`, schema, 'an object');
    if (maxBytes !== undefined) assertGiven(`maxBytes of ${name}`, maxBytes, 'a number from 0');
    this.source = source;
    this.parameter = parameter;
    this.schema = schema;
    this.mediaTypes = mediaTypes;
    this.maxBytes = maxBytes;
    this.file = file;
    this.#compile = reader;
  }

  /** How it is read: the same for every route, since it keeps nothing of a request. */
  reader(): Reader {
    return (this.#reader ??= this.#compile());
  }

  get name(): string {
    return this.parameter === undefined
      ? `the ${this.source}`
      : `${this.source} '${this.parameter}'`;
  }
}
