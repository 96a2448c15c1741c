import { injectableLifetime, markInjectable, refuseStandardDecorator } from '@thereafter/di';
import type { Method } from '@thereafter/router';
import {
  ALL_METHODS,
  assertRoute,
  type AllOptions,
  type Out,
  type Returned,
  type RouteOptions,
} from '../route-options.ts';
import { assertGiven, assertOptions } from '../given.ts';
import { addRoute, CONTROLLER_OPTIONS, setController, type ControllerOptions } from './metadata.ts';

// A method decorator sees class and method name as literal types, so the method's return type can be
// looked up and compared with the response schema.
type ReturnAt<T, K> = K extends keyof T
  ? // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any parameters
    T[K] extends (...args: any[]) => infer R
    ? Awaited<R>
    : never
  : never;

interface BadReturn<Schema, Given> {
  'the return value does not fit the response schema': true;
  schema: Schema;
  returned: Given;
}

/** A method decorator that only compiles on a method that returns what the response schema says. */
export type RouteDecorator<R> = <T extends object, K extends string | symbol>(
  target: T,
  key: [ReturnAt<T, K>] extends [Returned<R>] ? K : BadReturn<R, ReturnAt<T, K>>,
  descriptor: PropertyDescriptor,
) => void;

/** A decorator for one HTTP method: `@Get('/users/:id', { response: User })`. */
export interface Verb {
  (path: string): RouteDecorator<unknown>;
  <const O extends RouteOptions>(path: string, options: O): RouteDecorator<Out<O>>;
}

/**
 * Makes a class a controller: its methods answer requests, its constructor is injected by type.
 *
 * @param prefix - Stands before the paths of its routes; default none.
 */
export function Controller(prefix = '', options: ControllerOptions = {}): ClassDecorator {
  assertGiven('The prefix of @Controller', prefix, 'a text');
  assertOptions('@Controller', options, CONTROLLER_OPTIONS);
  return (target, context?: unknown) => {
    refuseStandardDecorator('Controller', context);
    setController(target, { prefix, ...options });
    // A lifetime that @Injectable() gave is kept, in whichever order the two stand.
    if (injectableLifetime(target) === undefined) markInjectable(target, 'singleton');
  };
}

function verb(method: Method): Verb {
  const name = method[0] + method.slice(1).toLowerCase();
  return (path: string, options: RouteOptions = {}) => addRoutes(name, [method], path, options);
}

function addRoutes(
  decorator: string,
  methods: readonly Method[],
  path: string,
  options: RouteOptions,
): (target: object, key: unknown) => void {
  assertRoute(`@${decorator}('${path}')`, path, options);
  return (target, key) => {
    refuseStandardDecorator(decorator, key);
    for (const method of methods) {
      addRoute(target, { method, path, key: key as string | symbol, options }); // checked by RouteDecorator
    }
  };
}

/** Answers GET, and HEAD with the same headers and no body. */
export const Get: Verb = verb('GET');
/** Answers POST. */
export const Post: Verb = verb('POST');
/** Answers PUT. */
export const Put: Verb = verb('PUT');
/** Answers PATCH. */
export const Patch: Verb = verb('PATCH');
/** Answers DELETE. */
export const Delete: Verb = verb('DELETE');

/**
 * Answers every method that a route can have, or those that `methods` names: `['HEAD']` answers HEAD in
 * place of the GET route of the same path, `['OPTIONS']` in place of the app. Another route for the same
 * method and path is a conflict.
 */
export function All(path: string): RouteDecorator<unknown>;
export function All<const O extends AllOptions>(path: string, options: O): RouteDecorator<Out<O>>;
export function All(
  path: string,
  { methods, ...options }: AllOptions = {},
): (target: object, key: unknown) => void {
  return addRoutes('All', methods ?? ALL_METHODS, path, options);
}
