import {
  ArgumentError,
  methodNeeds,
  nameOf,
  type Class,
  type Key,
  type Need,
} from '@thereafter/di';
import type { Method } from '@thereafter/router';
import { Context } from './context.ts';
import { controllerOf, routesOf, type IncludeOptions } from './decorators/metadata.ts';
import { assertGiven } from './given.ts';
import type { Middleware } from './middleware.ts';
import { assertRoute, type RouteOptions } from './route-options.ts';

/** Calls a handler with the values that its plan left in the slots. */
export type Call = (slots: readonly unknown[]) => unknown;

/** A route as it is told to whoever lists them. */
export interface RouteSummary {
  readonly method: string;
  readonly path: string;
  /** Who answers, e.g. `UsersController.create`; of a function its method and path. */
  readonly handler: string;
}

/** A method, a path and a handler, with what the handler needs. */
export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly options: RouteOptions;
  /** For error messages, e.g. `UsersController.create`. */
  readonly name: string;
  readonly middleware: readonly Middleware[];
  /** What runs before the handler is given its arguments. */
  readonly guards: readonly Need[];
  /** What the handler is given. */
  readonly needs: readonly Need[];
  /** Compiles the call of the handler, given the slots of its needs. */
  bind(slots: readonly number[]): Call;
}

/** A route whose handler is a function of a record. */
export function functionRoute(
  method: Method,
  path: string,
  options: RouteOptions & { readonly in?: Readonly<Record<string, unknown>> },
  handler: (values: never) => unknown,
): Route {
  const name = `${method} ${path}`;
  assertRoute(name, path, options);
  assertGiven(`The handler of ${name}`, handler, 'a function');
  const inputs = Object.entries({ ...options.in, ctx: Context });
  return {
    method,
    path: joinPaths('', path),
    options,
    name,
    ...splitUse(options.use),
    needs: inputs.map(([label, input]) => ({ label, key: input as Key })), // typed by the callers
    bind: (slots) => {
      const call = handler as (values: Record<string, unknown>) => unknown; // `never` only for variance
      const names = inputs.map(([name]) => name);
      return (values) => {
        const record: Record<string, unknown> = {};
        for (let i = 0; i < names.length; i++) record[names[i]!] = values[slots[i]!];
        return call(record);
      };
    },
  };
}

/**
 * The routes of a controller class, those that it inherits included.
 *
 * @param around - What the app says of it.
 */
export function controllerRoutes(target: Class, around: IncludeOptions): Route[] {
  assertGiven('What include() is given', target, ['a function', 'an object']);
  const controller = controllerOf(target);
  if (!controller) {
    throw new ArgumentError(
      `include() wants controllers and tasks, and ${nameOf(target)} is neither. Add @Controller() or @Task(schema) to it.`,
    );
  }
  const routes = routesOf(target);
  if (routes.length === 0) {
    throw new ArgumentError(
      `${nameOf(target)} is a controller without a route: write @Get('/') or another method above one of its methods.`,
    );
  }
  return routes.map(({ method, path, key, options }): Route => {
    const layers = [around, controller, options];
    return {
      method,
      path: joinPaths(around.prefix ?? '', controller.prefix, path),
      options: {
        ...options,
        tags: layers.flatMap(({ tags = [] }) => tags),
        documented: layers.every(({ documented = true }) => documented),
      },
      name: `${nameOf(target)}.${String(key)}`,
      ...splitUse(layers.flatMap(({ use = [] }) => use)),
      needs: [{ key: target }, ...methodNeeds(target, key)],
      bind: (slots) => bindMethod(target, key, slots),
    };
  });
}

function splitUse(use: RouteOptions['use'] = []): Pick<Route, 'guards' | 'middleware'> {
  return {
    middleware: use.filter((part) => typeof part === 'function'),
    guards: use
      .filter((part) => typeof part !== 'function')
      .map((dependency) => ({ label: 'use', key: dependency })),
  };
}

/** A case for each small number of parameters, so that no array of arguments is made. */
function bindMethod(target: Class, key: string | symbol, slots: readonly number[]): Call {
  const method = (target.prototype as Record<string | symbol, (...args: unknown[]) => unknown>)[
    key
  ]!;
  const [self = 0, ...parameters] = slots;
  const [a = 0, b = 0, c = 0] = parameters;
  switch (parameters.length) {
    case 0:
      return (values) => method.call(values[self]);
    case 1:
      return (values) => method.call(values[self], values[a]);
    case 2:
      return (values) => method.call(values[self], values[a], values[b]);
    case 3:
      return (values) => method.call(values[self], values[a], values[b], values[c]);
    default:
      return (values) =>
        method.apply(
          values[self],
          parameters.map((slot) => values[slot]),
        );
  }
}

/** Joins without double or missing slashes: `/api`, `/users` and `/` give `/api/users`. */
export function joinPaths(...parts: readonly string[]): string {
  return `/${parts.join('/').split('/').filter(Boolean).join('/')}`;
}
