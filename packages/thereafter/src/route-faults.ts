import { ThereafterError, type Container } from '@thereafter/di';
import { createRouter } from '@thereafter/router';
import type { TSchema } from 'typebox';
import { HttpInput } from './handler/http-input.ts';
import { validatorOf } from './handler/validator.ts';
import { distance } from './nearest.ts';
import { toPathTemplates } from './openapi/path-template.ts';
import { isByStatus } from './response/schemas.ts';
import type { Route } from './route.ts';

/**
 * Why a route cannot answer its requests.
 *
 * - `ROUTE_CONFLICT` another one answers the same requests
 * - `ROUTE_PATH_INVALID` its path cannot be matched
 * - `SCHEMA_INVALID` a schema of it cannot be compiled
 * - `TA114` it needs a path parameter that its path does not have
 */
class RouteError extends ThereafterError {
  readonly code: 'ROUTE_CONFLICT' | 'ROUTE_PATH_INVALID' | 'SCHEMA_INVALID' | 'TA114';

  constructor(code: RouteError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

type Declared = Pick<Route, 'method' | 'path' | 'name'>;

/** Routes that cannot stand beside the ones before them, or have no path that can be matched. */
export function findConflicts(routes: readonly Declared[]): ThereafterError[] {
  const router = createRouter<Declared>();
  return routes.flatMap((route) => {
    const { method, path, name } = route;
    try {
      const first = router.add(method, path, route);
      return first ? [toConflict(first, route)] : [];
    } catch (cause) {
      const problem = `${method} ${path} of ${name} cannot be matched: ${(cause as Error).message}.`;
      return [new RouteError('ROUTE_PATH_INVALID', `${problem} Correct the path.`, { cause })];
    }
  });
}

function toConflict(first: Declared, { method, path, name }: Declared): RouteError {
  return new RouteError(
    'ROUTE_CONFLICT',
    `${method} ${path} is declared twice. Remove one, or change its method or path. ` +
      `Both ${first.name} and ${name} declare it.`,
  );
}

/** Schemas of a route that cannot be compiled, such as for an expression that is none. */
export function findBadSchemas(
  { guards, needs, name, options: { response } }: Route,
  container: Pick<Container, 'reach'>,
): ThereafterError[] {
  const bad: ThereafterError[] = [];
  const attempt = (what: string, schema: TSchema, compile: () => unknown): void => {
    try {
      compile();
    } catch (cause) {
      const text = JSON.stringify(schema);
      const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
      const problem = `The schema of ${what} of ${name} cannot be compiled: ${(cause as Error).message}.`;
      bad.push(new RouteError('SCHEMA_INVALID', `${problem} Correct ${shown}.`, { cause }));
    }
  };
  for (const key of container.reach([...guards, ...needs])) {
    if (key instanceof HttpInput) attempt(key.name, key.schema, () => key.reader());
  }
  const schemas = response ? (isByStatus(response) ? Object.values(response) : [response]) : [];
  for (const schema of schemas) attempt('the response', schema, () => validatorOf(schema));
  return bad;
}

/** Path parameters that routes ask for, themselves or through dependencies, and do not have. */
export function findUnknownParameters(
  routes: readonly Route[],
  container: Pick<Container, 'reach'>,
): ThereafterError[] {
  return routes.flatMap((route) => {
    const wanted = container
      .reach([...route.guards, ...route.needs])
      .flatMap((key) =>
        key instanceof HttpInput && key.source === 'path' ? [key.parameter!] : [],
      ); // it has a name
    if (wanted.length === 0) return [];
    const known = toPathTemplates(route.path).flatMap(({ parameters }) =>
      parameters.map(({ key }) => key),
    );
    return [...new Set(wanted)]
      .filter((name) => !known.includes(name))
      .map((name) => toUnknownParameter(route, name, [...new Set(known)]));
  });
}

function toUnknownParameter(
  { method, path, name: route }: Route,
  name: string,
  known: readonly string[],
): RouteError {
  const who = route === `${method} ${path}` ? route : `${method} ${path} (${route})`;
  const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
  const remedy =
    nearest === undefined
      ? `Its path has no parameters: write one, as in '${path === '/' ? '' : path}/:${name}'.`
      : `Did you mean '${nearest}'? Its path has ${known.map((one) => `'${one}'`).join(' and ')}.`;
  return new RouteError(
    'TA114',
    `${who} asks for path '${name}', which it does not have. ${remedy}`,
  );
}
