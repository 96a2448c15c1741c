import { ThereafterError } from '@thereafter/di';
import { IsArray, IsObject, type TSchema } from 'typebox';
import { Clean, Clone } from 'typebox/value';
import { compileCheck, type Findings } from '../handler/check.ts';
import { isByStatus, type ResponseSchemas } from './schemas.ts';

/** Turns a handler's value into JSON text. */
export type Serialiser = (value: unknown, status: number) => string;

/** A handler returned what its response schema does not allow. Thrown in development only. */
class ResponseMismatchError extends ThereafterError {
  readonly code = 'RESPONSE_MISMATCH';
  /** Such as `GET /users/:id` or `UsersController.find`. */
  readonly route: string;

  constructor(route: string, status: number, faults: readonly string[]) {
    super(
      `${route} answers ${status} with a value that does not fit its response schema: ${faults.join('; ')}.`,
    );
    this.route = route;
  }
}

/** How a route's serialiser is compiled. */
export interface SerialiserOptions {
  /** For error messages. */
  readonly route?: string;
  /** Whether each value is checked against its schema, which costs more than sending it. Default false. */
  readonly check?: boolean;
}

/** JSON without a schema: everything is sent. */
const toJson: Serialiser = (value) => JSON.stringify(value);

/**
 * Compiles a serialiser that sends only what the schema names, nested and in arrays, so that a field
 * like a password hash cannot leave by accident. With a schema for each status, a status that has none
 * is sent as it is.
 */
export function compileSerialiser(
  response: ResponseSchemas | undefined,
  options: SerialiserOptions = {},
): Serialiser {
  if (response === undefined) return toJson;
  if (!isByStatus(response)) return compileOne(response, options);
  const byStatus = new Map(
    Object.entries(response).map(([status, schema]) => [
      Number(status),
      compileOne(schema, options),
    ]),
  );
  return (value, status) => (byStatus.get(status) ?? toJson)(value, status);
}

function compileOne(schema: TSchema, { route = 'a route', check }: SerialiserOptions): Serialiser {
  const serialise = compileWrite(schema) as Serialiser; // what JSON cannot say is nothing, as with toJson
  if (check !== true) return serialise;
  const assertFits = compileCheck(schema, 'body', '');
  return (value, status) => {
    const text = serialise(value, status);
    // What is checked is what the client would get: dates are text by now, absent fields are absent.
    const findings: Findings = { issues: undefined };
    assertFits(findings, text === undefined ? undefined : JSON.parse(text));
    if (!findings.issues) return text;
    throw new ResponseMismatchError(
      route,
      status,
      findings.issues.map(({ pointer, message }) => `${pointer || 'the value'} ${message}`),
    );
  };
}

/** Writes a value as JSON; like `JSON.stringify`, returns `undefined` for what JSON cannot say. */
type Write = (value: unknown) => string | undefined;

const writeAny: Write = (value) => JSON.stringify(value);

/**
 * A function for each part of the schema, so that what it does not name is never looked at. Values of
 * another type than it says are written as `JSON.stringify` would: nothing is converted.
 */
function compileWrite(schema: TSchema): Write {
  if (IsObject(schema) && !('additionalProperties' in schema)) {
    return objectWrite(schema.properties);
  }
  if (IsArray(schema)) return arrayWrite(compileWrite(schema.items));
  switch ((schema as { type?: unknown }).type) {
    case 'string':
      return writeString;
    case 'integer':
    case 'number':
      return (value) => (Number.isFinite(value) ? `${value as number}` : writeAny(value));
    case 'boolean':
      return (value) => (value === true ? 'true' : value === false ? 'false' : writeAny(value));
    case 'null':
      return writeAny;
    default:
      // Unions, intersections, records, references: TypeBox's own filter, on a copy because it changes
      // its argument.
      return (value) => JSON.stringify(Clean(schema, Clone(value)));
  }
}

function objectWrite(properties: Readonly<Record<string, TSchema>>): Write {
  const fields = Object.entries(properties).map(([name, schema]) => ({
    name,
    key: `${JSON.stringify(name)}:`,
    write: compileWrite(schema),
  }));
  return (given) => {
    const value = hasToJson(given) ? given.toJSON() : given; // what it gives is filtered too
    if (typeof value !== 'object' || value === null) return writeAny(value);
    const from = value as Record<string, unknown>;
    let text = '';
    for (const { name, key, write } of fields) {
      const part = from[name];
      if (part === undefined) continue;
      const written = write(part);
      if (written === undefined) continue;
      text += text === '' ? key + written : `,${key}${written}`;
    }
    return `{${text}}`;
  };
}

function arrayWrite(write: Write): Write {
  return (value) => {
    if (!Array.isArray(value)) return writeAny(value);
    let text = '';
    for (let i = 0; i < value.length; i++) {
      const written = write(value[i]) ?? 'null';
      text += i === 0 ? written : `,${written}`;
    }
    return `[${text}]`;
  };
}

function hasToJson(value: unknown): value is { toJSON(): unknown } {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function';
}

/** What JSON escapes: control characters, quotes, backslashes, halves of surrogate pairs. */
// oxlint-disable-next-line no-control-regex -- which is what is looked for
const ESCAPED = /[\u0000-\u001f"\\\ud800-\udfff]/;

function writeString(value: unknown): string | undefined {
  if (typeof value !== 'string') return writeAny(value);
  return (value.length < SHORT ? isPlain(value) : !ESCAPED.test(value))
    ? `"${value}"`
    : JSON.stringify(value);
}

/** Below this length a loop is faster than a regular expression, in UTF-16 units. */
const SHORT = 42;

function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) {
      return false;
    }
  }
  return true;
}
