import { ThereafterError } from '@thereafter/di';
import { IsArray, IsObject, IsOptional, type TSchema } from 'typebox';
import { Clean, Clone } from 'typebox/value';
import { compileCheck, type Findings } from '../handler/check.ts';
import { isByStatus, type ResponseSchemas } from './schemas.ts';

/** Turns a handler's value into JSON text. */
export type Serialiser = (value: unknown, status: number) => string;

/** A handler returned what its response schema does not allow. Thrown in development only. */
export class ResponseMismatchError extends ThereafterError {
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
export const toJson: Serialiser = (value) => JSON.stringify(value);

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
  const filter = compileFilter(schema);
  const serialise: Serialiser = filter ? (value) => JSON.stringify(filter(value)) : toJson;
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
