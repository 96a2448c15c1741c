import type { TObject, TSchema } from 'typebox';
import { http } from '../node-modules.ts';
import type { HttpInput } from '../handler/http-input.ts';
import {
  BadRequest,
  ContentTooLarge,
  InvalidInput,
  UnsupportedMediaType,
  type Problem,
  type ProblemDefinition,
} from '../response/problem.ts';
import { isByStatus } from '../response/schemas.ts';
import type { RouteOptions } from '../route-options.ts';
import type { Json, JsonSchema, OpenApiContent, OpenApiResponse } from './document.ts';
import { OpenApiError } from './errors.ts';
import { anyOf } from './inputs.ts';
import type { SchemaWriter } from './schema-writer.ts';

type ProblemClass = NonNullable<RouteOptions['errors']>[number];

const PROBLEM_TYPE = 'application/problem+json';

/** What a route may answer: what it declares, and what its inputs are refused with. */
export function toResponses(
  { response, status = 200, errors = [] }: RouteOptions,
  inputs: readonly HttpInput[],
  writer: SchemaWriter,
  route: string,
): Record<string, OpenApiResponse> {
  const responses: Record<string, OpenApiResponse> = {};
  for (const [code, schema] of schemasByStatus(response, status)) {
    responses[code] = {
      description: http.STATUS_CODES[code] ?? 'Response',
      ...(schema && hasBody(code, schema) && { content: toContent(schema, writer, route) }),
    };
  }
  for (const [code, { titles, schemas }] of problemsByStatus(
    [...errors, ...refusalsOf(inputs).filter((refusal) => !errors.includes(refusal))],
    writer,
    route,
  )) {
    const { content } = responses[code] ?? {};
    responses[code] = {
      description: [...new Set(titles)].join(', or '),
      content: { ...content, [PROBLEM_TYPE]: { schema: anyOf(schemas) } },
    };
  }
  return responses;
}

/** What inputs are refused with: what cannot be read, and what was read and does not fit. */
function refusalsOf(inputs: readonly HttpInput[]): ProblemClass[] {
  const sources = new Set(inputs.map(({ source }) => source));
  return [
    ...(sources.has('body') || sources.has('query') ? [BadRequest] : []),
    ...(sources.has('body') ? [ContentTooLarge, UnsupportedMediaType] : []),
    ...(sources.size > 0 ? [InvalidInput] : []),
  ];
}

/** What may be sent with which status. */
function schemasByStatus(
  response: RouteOptions['response'],
  status: number,
): (readonly [number, TSchema | undefined])[] {
  if (!response || !isByStatus(response)) return [[status, response]];
  return Object.entries(response).map(([code, schema]) => [Number(code), schema]);
}

function hasBody(status: number, schema: TSchema): boolean {
  const { type } = schema as { readonly type?: unknown };
  return status !== 204 && status !== 304 && type !== 'void' && type !== 'undefined';
}

function toContent(schema: TSchema, writer: SchemaWriter, route: string): OpenApiContent {
  const written = writer.write(schema, 'out', route, 'the response');
  // A string is sent as it is.
  return {
    [written['type'] === 'string' ? 'text/plain' : 'application/json']: { schema: written },
  };
}

interface Problems {
  readonly titles: string[];
  readonly schemas: JsonSchema[];
}

function problemsByStatus(
  classes: readonly ProblemClass[],
  writer: SchemaWriter,
  route: string,
): [number, Problems][] {
  const byStatus = new Map<number, Problems>();
  for (const target of classes) {
    const about = describeProblem(target);
    if (!about) {
      writer.report(
        new OpenApiError(
          'OPENAPI_PROBLEM',
          route,
          `making a ${target.name} to read its status failed`,
          'Declare it with Problem.define(), or let its constructor work without arguments.',
        ),
      );
      continue;
    }
    const { titles, schemas } = byStatus.get(about.status) ?? { titles: [], schemas: [] };
    titles.push(about.title);
    schemas.push(problemSchema(target, about, writer, route));
    byStatus.set(about.status, { titles, schemas });
  }
  return [...byStatus].toSorted(([a], [b]) => a - b);
}

type About = Omit<ProblemDefinition<TObject>, 'extension'> & { readonly extension?: TObject };

/** A class of its own says what it is only on an instance, which is made without arguments. */
function describeProblem(target: ProblemClass): About | undefined {
  const { definition } = target as { readonly definition?: ProblemDefinition<TObject> };
  if (definition) return definition;
  for (const argument of [undefined, []]) {
    try {
      const problem = new (target as unknown as new (argument: unknown) => Problem)(argument);
      return { type: problem.type, title: problem.title, status: problem.status };
    } catch {
      // it reads its argument
    }
  }
  return undefined;
}

function problemSchema(
  target: ProblemClass,
  { type, title, status, extension }: About,
  writer: SchemaWriter,
  route: string,
): JsonSchema {
  const base = writer.define('Problem', () => PROBLEM);
  if (target === InvalidInput) {
    return writer.define('InvalidInput', () => ({ allOf: [base as Json, INPUT_ISSUES as Json] }));
  }
  if (type === 'about:blank' && !extension) return base;
  const name = target.name === 'DefinedProblem' ? pascalCase(title) : target.name;
  const {
    properties,
    required = [],
    ...members
  } = extension ? writer.write(extension, 'out', route, `the extension of ${name}`) : {};
  const own = {
    type: 'object',
    ...members,
    required: ['type', 'title', 'status', ...(required as readonly string[])],
    properties: {
      type: { const: type },
      title: { const: title },
      status: { const: status },
      ...(properties as Record<string, Json>),
    },
  };
  return writer.define(name, () => ({ allOf: [base as Json, own] }), type);
}

function pascalCase(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9]*([A-Za-z0-9]+)[^A-Za-z0-9]*/g, (_, word: string) =>
    word.replace(/^./, (letter) => letter.toUpperCase()),
  );
}

/** @see https://www.rfc-editor.org/rfc/rfc9457#section-3 */
const PROBLEM: JsonSchema = {
  description: 'A problem as of RFC 9457.',
  type: 'object',
  required: ['type', 'title', 'status', 'instance', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri-reference' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    instance: { type: 'string', format: 'uri-reference' },
    requestId: { type: 'string' },
  },
};

const INPUT_ISSUES: JsonSchema = {
  type: 'object',
  required: ['errors'],
  properties: {
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['source', 'pointer', 'message'],
        properties: {
          source: { type: 'string', enum: ['body', 'query', 'path', 'header', 'cookie'] },
          pointer: { type: 'string', description: 'A JSON pointer (RFC 6901) into the source.' },
          message: { type: 'string' },
        },
      },
    },
  },
};
