import 'reflect-metadata';
import type { Class } from '@thereafter/di';
import type { Method } from '@thereafter/router';
import type { Kind } from '../given.ts';
import type { RouteOptions } from '../route-options.ts';

const CONTROLLER = Symbol.for('thereafter.controller');
const ROUTES = Symbol.for('thereafter.routes');

/** What `@Controller()` says of all routes of its class. */
export interface ControllerOptions {
  /** For the documentation of all its routes. */
  readonly tags?: readonly string[];
  /** Whether the documentation shows its routes; default true. */
  readonly documented?: boolean;
  /** Dependencies that run before each of its handlers, and middleware around them. */
  readonly use?: RouteOptions['use'];
}

/** What the options of a controller must be. */
export const CONTROLLER_OPTIONS: Readonly<Record<string, Kind>> = {
  tags: 'a list',
  documented: 'true or false',
  use: 'a list',
};

/** What `include()` says of the controllers that it adds, around what they say themselves. */
export interface IncludeOptions extends ControllerOptions {
  /** Stands before the prefixes of the controllers; default none. */
  readonly prefix?: string;
}

export interface ControllerRecord extends ControllerOptions {
  readonly prefix: string;
}

export interface RouteRecord {
  readonly method: Method;
  readonly path: string;
  readonly key: string | symbol;
  readonly options: RouteOptions;
}

export function setController(target: object, record: ControllerRecord): void {
  Reflect.defineMetadata(CONTROLLER, record, target);
}

/** What `@Controller` said about exactly this class. */
export function controllerOf(target: object): ControllerRecord | undefined {
  return Reflect.getOwnMetadata(CONTROLLER, target) as ControllerRecord | undefined;
}

export function addRoute(prototype: object, record: RouteRecord): void {
  const own = Reflect.getOwnMetadata(ROUTES, prototype) as RouteRecord[] | undefined;
  if (own) own.push(record);
  else Reflect.defineMetadata(ROUTES, [record], prototype);
}

/** The routes of a class and of those it extends; a method that is declared again wins. */
export function routesOf(target: Class): RouteRecord[] {
  const routes: RouteRecord[] = [];
  const declared = new Set<string | symbol>();
  for (
    let prototype = target.prototype as object | null;
    prototype && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    const own = (Reflect.getOwnMetadata(ROUTES, prototype) as RouteRecord[] | undefined) ?? [];
    routes.push(...own.filter(({ key }) => !declared.has(key)));
    for (const { key } of own) declared.add(key);
  }
  return routes;
}
