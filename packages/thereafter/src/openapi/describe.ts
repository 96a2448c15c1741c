import type { Container } from '@thereafter/di';
import type { Route } from '../route.ts';
import type {
  ApiServer,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiOptions,
  SecurityScheme,
} from './document.ts';
import { OpenApiError } from './errors.ts';
import { inputsAmong, toParameters, toRequestBody } from './inputs.ts';
import { toPathTemplates, type PathTemplate } from './path-template.ts';
import { toResponses } from './responses.ts';
import { SchemaWriter } from './schema-writer.ts';
import { toSecurity } from './security.ts';

/** What an app says about itself. */
export interface ApiInfo extends OpenApiOptions {
  readonly title: string;
  readonly version: string;
  readonly description?: string | undefined;
}

/** The document of an app, and what is missing in it. */
export interface Description {
  readonly document: OpenApiDocument;
  /** Why some of it could not be described. */
  readonly faults: readonly OpenApiError[];
}

/**
 * Describes routes as an OpenAPI document, from what was registered alone: nothing is built and no port
 * opens. The same registrations in the same order give the same document, byte for byte.
 */
export function describe(
  { title, version, description, servers = [], license, contact, termsOfService }: ApiInfo,
  all: readonly Route[],
  container: Pick<Container, 'reach'>,
): Description {
  const routes = all.filter(({ options }) => options.documented !== false);
  const faults: OpenApiError[] = [];
  const writer = new SchemaWriter((fault) => faults.push(fault));
  const securitySchemes: Record<string, SecurityScheme> = {};
  const parts = routes.map((route) => {
    const keys = container.reach([...route.guards, ...route.needs]);
    const inputs = inputsAmong(keys);
    for (const { schema } of inputs) writer.learn(schema);
    writer.learn(route.options.response);
    return { route, keys, inputs };
  });
  const paths = new Paths();
  const ids = new OperationIds(routes, faults);

  for (const { route, keys, inputs } of parts) {
    const { tags = [], summary = toSummary(route), description: text, deprecated } = route.options;
    const { named, security } = toSecurity(keys);
    Object.assign(securitySchemes, named);
    const requestBody = toRequestBody(inputs, writer, route.name);
    const responses = toResponses(route.options, inputs, writer, route.name);
    for (const template of toPathTemplates(route.path)) {
      const place = paths.at(template);
      const parameters = toParameters(inputs, place, writer, route.name);
      paths.add(place, route.method, {
        operationId: ids.of(route, place),
        ...(tags.length > 0 && { tags }),
        summary,
        ...(text !== undefined && { description: text }),
        ...(deprecated && { deprecated }),
        ...(parameters.length > 0 && { parameters }),
        ...(requestBody && { requestBody }),
        responses,
        security,
      });
    }
  }

  const tags = [...new Set(routes.flatMap((route) => route.options.tags ?? []))];
  const { components } = writer;
  const document: OpenApiDocument = {
    openapi: '3.1.1',
    info: {
      title,
      version,
      ...(description !== undefined && { description }),
      ...(termsOfService !== undefined && { termsOfService }),
      ...(contact && { contact }),
      ...(license && { license }),
    },
    servers: servers.length === 0 ? [HERE] : servers,
    ...(tags.length > 0 && { tags: tags.map((name) => ({ name })) }),
    paths: paths.items,
    components: {
      ...(Object.keys(components).length > 0 && { schemas: components }),
      ...(Object.keys(securitySchemes).length > 0 && { securitySchemes }),
    },
  };
  return { document, faults };
}

/** Beside the document, also behind a proxy that cuts a prefix off. */
const HERE: ApiServer = { url: '.' };

/** Templates that differ only in the names of their parameters are one path: the first names win. */
class Paths {
  readonly items: Record<string, Record<string, OpenApiOperation>> = {};
  readonly #byShape = new Map<string, PathTemplate>();

  at(found: PathTemplate): PathTemplate {
    const shape = found.template.replaceAll(/\{[^}]*\}/g, '{}');
    const known = this.#byShape.get(shape);
    if (!known) {
      this.#byShape.set(shape, found);
      return found;
    }
    const parameters = found.parameters.map((parameter, i) => ({
      ...parameter,
      name: known.parameters[i]!.name,
    }));
    return { template: known.template, parameters };
  }

  add({ template }: PathTemplate, method: string, operation: OpenApiOperation): void {
    (this.items[template] ??= {})[method.toLowerCase()] = operation;
  }
}

/** A name for each operation: the one it was given, or one that is made, and made different if taken. */
class OperationIds {
  readonly #taken = new Map<string, Route>();

  constructor(routes: readonly Route[], faults: OpenApiError[]) {
    for (const route of routes) {
      const { operationId } = route.options;
      if (operationId === undefined) continue;
      const other = this.#taken.get(operationId);
      this.#taken.set(operationId, route);
      if (!other || other.name === route.name) continue; // one that was included twice
      faults.push(
        new OpenApiError(
          'OPENAPI_OPERATION_ID',
          route.name,
          `its operationId '${operationId}' is that of ${other.name} too`,
          'Give it another one, or none.',
        ),
      );
    }
  }

  of(route: Route, { template }: PathTemplate): string {
    const { operationId } = route.options;
    // The second path of a route, where it is included twice or has an optional parameter, needs its own.
    if (operationId !== undefined && !this.#used.has(operationId)) {
      this.#used.add(operationId);
      return operationId;
    }
    const name = nameOf(route, template);
    const other = this.#taken.get(camelCase(name));
    // One method with several verbs is told apart by them, one that is included twice by its path.
    const isStacked = other?.name === route.name && other.method !== route.method;
    const second = isStacked ? `${name} ${route.method}` : `${route.method} ${template}`;
    const candidates = [camelCase(name), camelCase(second)];
    for (let count = 2; ; count++) {
      const id = candidates.shift() ?? `${camelCase(name)}${count}`;
      if (this.#taken.has(id)) continue;
      this.#taken.set(id, route);
      return id;
    }
  }

  readonly #used = new Set<string>();
}

/** `UsersController.findAll` → `Find all`; of a function its method and path. */
function toSummary({ name }: Route): string {
  const key = /^\w+\.(\w+)$/.exec(name)?.[1];
  if (key === undefined) return name;
  const words = key.replaceAll(/(?<=[a-z\d])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words[0]!.toUpperCase() + words.slice(1);
}

/** `UsersController.create` → `users create`; a function has no name of its own, so its path serves. */
function nameOf({ name, method }: Route, template: string): string {
  const [, controller, key] = /^(\w+?)(?:Controller)?\.(\w+)$/.exec(name) ?? [];
  return controller === undefined ? `${method} ${template}` : `${controller} ${key}`;
}

function camelCase(text: string): string {
  const words = text.replaceAll(/\{(\w+)\}/g, 'by $1').match(/[A-Za-z0-9_]+/g) ?? [];
  return words
    .map((word, i) => {
      const rest = word === word.toUpperCase() ? word.slice(1).toLowerCase() : word.slice(1);
      return (i === 0 ? word[0]!.toLowerCase() : word[0]!.toUpperCase()) + rest;
    })
    .join('');
}
