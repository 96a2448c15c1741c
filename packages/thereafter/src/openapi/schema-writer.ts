import type { TSchema } from 'typebox';
import type { JsonSchema, Json } from './document.ts';
import { OpenApiError } from './errors.ts';

/*
 * TypeBox schemas are JSON schemas, with a few words of their own:
 *
 *   Tuple      `items: [a, b]`, `additionalItems`   → `prefixItems`, `items`
 *   Record     `patternProperties: { '^.*$': a }`   → `additionalProperties: a`
 *   Cyclic     `$defs: { Node }`, `$ref: 'Node'`    → a component for each definition
 *   `$id`                                           → a component, once for all that use it
 *   Literals   `anyOf` of `const`                   → `enum`
 *   Codec      nothing: the schema is that of the encoded side, which is what is sent
 *
 * What JSON has no type for is refused.
 */

/**
 * Which way a value goes. They differ where a property has a default: a client may leave it out, and
 * the server never does.
 */
export type Direction = 'in' | 'out';

/** Where a schema stands, for error messages and for what its references mean. */
interface Place {
  readonly route: string;
  /** E.g. `the body`. */
  readonly what: string;
  readonly pointer: string;
  readonly direction: Direction;
  /** The definitions in sight, the nearest last. */
  readonly scopes: readonly Readonly<Record<string, RawSchema>>[];
  /** The schema that `#` means. */
  readonly root: RawSchema;
}

type RawSchema = Readonly<Record<string, unknown>>;

const TYPES = new Set(['null', 'boolean', 'object', 'array', 'number', 'integer', 'string']);

/** Keywords whose value is one schema. */
const ONE = new Set([
  'additionalProperties',
  'contains',
  'contentSchema',
  'else',
  'if',
  'items',
  'not',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);
/** Keywords whose value is a list of schemas. */
const LIST = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
/** Keywords whose value is a record of schemas. */
const RECORD = new Set(['dependentSchemas', 'patternProperties', 'properties']);

/** Any property name, as `Type.Record(Type.String(), …)` says it. */
const ANY_NAME = '^.*$';

/** Translates schemas, and collects those that have a name as components. */
export class SchemaWriter {
  readonly components: Record<string, JsonSchema> = {};
  /** Is told of everything that cannot be described. */
  readonly report: (fault: OpenApiError) => void;
  /** The name of a component, by what it was made from. */
  readonly #names = new Map<string, string>();
  readonly #byId = new Map<string, RawSchema>();

  constructor(report: (fault: OpenApiError) => void) {
    this.report = report;
  }

  /** Notes the `$id`s in a schema, so that any other one can refer to them. */
  learn(schema: unknown): void {
    if (typeof schema !== 'object' || schema === null) return;
    const { $id } = schema as RawSchema;
    if (typeof $id === 'string' && !this.#byId.has($id)) this.#byId.set($id, schema as RawSchema);
    for (const part of Object.values(schema)) this.learn(part);
  }

  /**
   * @param route - Its name, for error messages.
   * @param what - What the schema is of, e.g. `the body`.
   */
  write(schema: TSchema, direction: Direction, route: string, what: string): JsonSchema {
    const root = schema as RawSchema;
    return this.#write(root, { route, what, pointer: '', direction, scopes: [], root });
  }

  /**
   * Adds a component, unless it is there.
   *
   * @param identity - Tells apart two of one name.
   * @returns A reference to it.
   */
  define(name: string, make: () => JsonSchema, identity: string = name): JsonSchema {
    const key = `defined ${name} ${identity}`;
    const given = this.#names.get(key) ?? this.#freeName(componentName(name));
    if (!this.#names.has(key)) {
      this.#names.set(key, given);
      this.components[given] = {}; // keeps the name while it is made
      this.components[given] = make();
    }
    return refTo(given);
  }

  #write(schema: RawSchema, place: Place): JsonSchema {
    const { $id, $ref, $defs } = schema;
    if (typeof $id === 'string') return this.#component($id, schema, place);
    const scopes = $defs ? [...place.scopes, $defs as Record<string, RawSchema>] : place.scopes;
    const inside = { ...place, scopes };
    if (typeof $ref === 'string') return this.#reference($ref, schema, inside);
    return this.#plain(schema, inside);
  }

  #reference(
    ref: string,
    { $ref: _ref, $defs: _defs, ...siblings }: RawSchema,
    place: Place,
  ): JsonSchema {
    const target = this.#resolve(ref, place);
    if (!target) {
      this.#fault('OPENAPI_REF', place, `refers to '${ref}', which is nowhere in the app`, [
        'Give the schema that it means this $id and use it in a route, or put both in a Type.Cyclic().',
      ]);
      return {};
    }
    const written = this.#component(target.name, target.schema, {
      ...place,
      scopes: target.scopes,
    });
    return { ...written, ...this.#plain(siblings, place) };
  }

  #resolve(
    ref: string,
    { scopes, root }: Place,
  ): { name: string; schema: RawSchema; scopes: Place['scopes'] } | undefined {
    if (ref === '#') return { name: nameIn(root) ?? 'Recursive', schema: root, scopes };
    const name = ref.replace(/^#\/\$defs\//, '');
    for (let depth = scopes.length; depth > 0; depth--) {
      const schema = scopes[depth - 1]![name];
      if (schema) return { name, schema, scopes: scopes.slice(0, depth) };
    }
    const schema = this.#byId.get(ref);
    return schema && { name: ref, schema, scopes: [] };
  }

  /** What is the same, with the same definitions in sight, is one component. */
  #component(name: string, schema: RawSchema, place: Place): JsonSchema {
    const { $id: _, ...body } = schema;
    const source = this.#source(body, place.scopes);
    // Only defaults make a difference between the ways.
    const hasDefaults = source.includes('"default":');
    const way = hasDefaults ? place.direction : 'both';
    const key = `${way} ${name} ${source}`;
    let given = this.#names.get(key);
    if (given === undefined) {
      const wanted = componentName(name);
      given = this.#freeName(way === 'in' ? `${wanted}Input` : wanted);
      this.#names.set(key, given);
      this.components[given] = {}; // keeps the name while what it holds may refer back to it
      this.components[given] = this.#write(body, { ...place, pointer: '', root: schema });
    }
    return refTo(given);
  }

  /** The text of a schema and of all that it refers to. */
  #source(schema: RawSchema, scopes: Place['scopes']): string {
    const text = JSON.stringify(schema, jsonSafe);
    if (!text.includes('"$ref":')) return text;
    const texts = [text, JSON.stringify(scopes, jsonSafe)];
    const seen = new Set<string>();
    for (const part of texts) {
      for (const [, ref = ''] of part.matchAll(/"\$ref":"([^"]*)"/g)) {
        const target = this.#byId.get(ref);
        if (!target || seen.has(ref)) continue;
        seen.add(ref);
        texts.push(JSON.stringify(target, jsonSafe)); // and is looked through in its turn
      }
    }
    return texts.join();
  }

  #freeName(wanted: string): string {
    let name = wanted;
    for (let count = 2; Object.hasOwn(this.components, name); count++) name = `${wanted}${count}`;
    return name;
  }

  #plain(schema: RawSchema, place: Place): JsonSchema {
    if (!this.#isJson(schema, place)) return {};
    const written: Record<string, Json | undefined> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      const at = { ...place, pointer: `${place.pointer}/${keyword}` };
      if (keyword === '$defs' || keyword === 'additionalItems') continue;
      if (keyword === 'items' && Array.isArray(value)) this.#tuple(written, schema, at);
      else if (ONE.has(keyword)) written[keyword] = this.#one(value, at);
      else if (LIST.has(keyword)) written[keyword] = this.#list(value as RawSchema[], at);
      else if (RECORD.has(keyword)) written[keyword] = this.#record(value as RawSchema, at);
      else if (isJson(value)) written[keyword] = value; // not a function, say
    }
    if (place.direction === 'in') leaveOutDefaults(written, schema);
    return asRecord(asOne(written));
  }

  #one(value: unknown, place: Place): Json {
    return typeof value === 'boolean' ? value : this.#write(value as RawSchema, place);
  }

  #list(schemas: readonly RawSchema[], place: Place): Json {
    return schemas
      .filter(({ type }) => type !== 'undefined') // absence, which JSON shows by leaving out
      .map((schema, i) => this.#one(schema, { ...place, pointer: `${place.pointer}/${i}` }));
  }

  #record(schemas: RawSchema, place: Place): Json {
    return Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [
        name,
        this.#one(schema, { ...place, pointer: `${place.pointer}/${name}` }),
      ]),
    );
  }

  #tuple(written: Record<string, Json | undefined>, schema: RawSchema, place: Place): void {
    const items = schema['items'] as RawSchema[];
    if (items.length > 0) written['prefixItems'] = this.#list(items, place);
    const { additionalItems } = schema;
    if (additionalItems === undefined) return;
    written['items'] = this.#one(additionalItems, place);
    if (additionalItems === false) written['maxItems'] = items.length;
  }

  #isJson(schema: RawSchema, place: Place): boolean {
    const { type = [] } = schema as { readonly type?: string | readonly string[] };
    const wrong = [type].flat().find((each) => !TYPES.has(each));
    if (wrong === undefined) return true;
    this.#fault('OPENAPI_TYPE', place, `is a ${wrong}, which JSON does not have`, [
      'Use a type that can be sent, such as a string with a Type.Codec().',
    ]);
    return false;
  }

  #fault(
    code: OpenApiError['code'],
    { route, what, pointer }: Place,
    problem: string,
    [remedy]: [string],
  ): void {
    const where = pointer === '' ? what : `${what} at ${pointer}`;
    this.report(new OpenApiError(code, route, `${where} ${problem}`, remedy));
  }
}

function refTo(name: string): JsonSchema {
  return { $ref: `#/components/schemas/${name}` };
}

function nameIn({ $id, title }: RawSchema): string | undefined {
  return typeof $id === 'string' ? $id : typeof title === 'string' ? title : undefined;
}

/** The last part of a URI, in the letters that a component's name may have. */
function componentName(id: string): string {
  const last = id.split(/[/#]/).filter(Boolean).at(-1) ?? 'Schema';
  return last.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}

/** What has a default need not be sent. */
function leaveOutDefaults(written: Record<string, Json | undefined>, schema: RawSchema): void {
  const { required, properties } = schema as {
    readonly required?: readonly string[];
    readonly properties?: Readonly<Record<string, RawSchema | undefined>>;
  };
  if (!required || !properties) return;
  const needed = required.filter((name) => properties[name]?.['default'] === undefined);
  if (needed.length > 0) written['required'] = needed;
  else delete written['required'];
}

/** A union of bare literals of one type says the same as an `enum`, which tools show better. */
function asOne(written: Record<string, Json | undefined>): Record<string, Json | undefined> {
  const { anyOf, ...rest } = written;
  if (!Array.isArray(anyOf) || anyOf.length === 0) return written;
  const literals = anyOf as readonly JsonSchema[];
  const [first] = literals;
  if (literals.length === 1) return { ...first, ...rest }; // what is left of `string | undefined`
  const isLiteral = (part: JsonSchema): boolean =>
    part['const'] !== undefined &&
    part['type'] === first!['type'] &&
    Object.keys(part).every((keyword) => keyword === 'type' || keyword === 'const');
  if (!literals.every(isLiteral)) return written;
  return { ...rest, type: first!['type'], enum: literals.map((part) => part['const']!) };
}

function asRecord(written: Record<string, Json | undefined>): JsonSchema {
  const { patternProperties, ...rest } = written;
  if (!patternProperties || 'additionalProperties' in rest) return written;
  const patterns = Object.entries(patternProperties as Record<string, Json>);
  if (patterns.length !== 1 || patterns[0]![0] !== ANY_NAME) return written;
  return { ...rest, additionalProperties: patterns[0]![1] };
}

function isJson(value: unknown): value is Json {
  return !['function', 'undefined', 'bigint', 'symbol'].includes(typeof value);
}

function jsonSafe(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
