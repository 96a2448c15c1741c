import 'reflect-metadata';
import { THIS_COPY } from './copies.ts';
import type { Lifetime } from './lifetime.ts';
import type { Key } from './token.ts';

// Symbols of the global registry, so that two copies of this module see each other's.
const INJECTABLE = Symbol.for('thereafter.injectable');
const INPUTS = Symbol.for('thereafter.inputs');

/** What a decorator has left on a class. */
interface Mark {
  readonly lifetime: Lifetime;
  /** The copy of this package whose decorator it was. */
  readonly copy: string;
}

/** A parameter of a constructor or method, as far as it is known at run time. */
export interface Parameter {
  /** What a decorator said, in a box: `@Inject(Clock)` says `undefined` while `Clock` is not there yet. */
  readonly input: { readonly key: Key | undefined } | undefined;
  /** What the compiler emitted for its type, in a box: a class, `Object`, `String`, … */
  readonly type: { readonly value: unknown } | undefined;
}

/** Makes a class injectable, as `@Injectable()` does, for decorators of others. */
export function markInjectable(target: object, lifetime: Lifetime): void {
  const mark: Mark = { lifetime, copy: THIS_COPY };
  Reflect.defineMetadata(INJECTABLE, mark, target);
}

/**
 * How long instances of a class live, as its own decorator says.
 *
 * @returns `undefined` when it is not decorated, even if its parent is.
 */
export function injectableLifetime(target: object): Lifetime | undefined {
  return markOf(target)?.lifetime;
}

/** What the decorator of exactly this class says, not that of its parent. */
export function markOf(target: object): Mark | undefined {
  return Reflect.getOwnMetadata(INJECTABLE, target) as Mark | undefined;
}

/** Remembers what a parameter decorator asked for. `method` is undefined for a constructor. */
export function setInput(
  target: object,
  method: string | symbol | undefined,
  index: number,
  input: Key,
): void {
  const known = ownMetadata<Map<number, Key>>(INPUTS, target, method);
  if (known) known.set(index, input);
  else defineMetadata(INPUTS, new Map([[index, input]]), target, method);
}

/**
 * The parameters of a method, or of a constructor when `method` is absent.
 *
 * @returns `undefined` when neither a decorator nor the compiler said anything about them.
 */
export function parametersOf(
  target: object,
  method?: string | symbol,
): readonly Parameter[] | undefined {
  const inputs = ownMetadata<Map<number, Key>>(INPUTS, target, method);
  const types = ownMetadata<unknown[]>('design:paramtypes', target, method);
  if (!inputs && !types) return undefined;
  const count = types?.length ?? Math.max(declaredCount(target, method), ...lastOf(inputs));
  return Array.from({ length: count }, (_, i) => ({
    input: inputs?.has(i) ? { key: inputs.get(i) } : undefined,
    type: types && { value: types[i] },
  }));
}

/** How many parameters a constructor or method has before the first with a default value. */
export function declaredCount(target: object, method: string | symbol | undefined): number {
  return functionOf(target, method)?.length ?? 0;
}

function lastOf(inputs: Map<number, Key> | undefined): number[] {
  return [...(inputs?.keys() ?? [])].map((index) => index + 1);
}

function ownMetadata<T>(
  name: unknown,
  target: object,
  method: string | symbol | undefined,
): T | undefined {
  return (
    method === undefined
      ? Reflect.getOwnMetadata(name, target)
      : Reflect.getOwnMetadata(name, target, method)
  ) as T | undefined;
}

function defineMetadata(
  name: unknown,
  value: unknown,
  target: object,
  method: string | symbol | undefined,
): void {
  if (method === undefined) Reflect.defineMetadata(name, value, target);
  else Reflect.defineMetadata(name, value, target, method);
}

/**
 * The names that parameters have in the source text, for messages only: a bundler may have shortened
 * them, and a default value may be too tangled to skip. Nothing is ever resolved by them.
 */
export function parameterNames(
  target: object,
  method: string | symbol | undefined,
): readonly (string | undefined)[] {
  const owner = functionOf(target, method);
  if (!owner) return [];
  const source = withoutComments(Function.prototype.toString.call(owner));
  const start = method === undefined ? /\bconstructor\s*\(/.exec(source) : /^[^(]*\(/.exec(source);
  if (!start) return [];
  return splitList(source.slice(start.index + start[0].length)).map(
    (parameter) => /^\s*(?:\.{3})?\s*([\w$]+)/.exec(parameter)?.[1],
  );
}

/** The parts of a list up to the bracket that closes it. */
function splitList(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (depth < 0) break;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts.filter((part) => part.trim() !== '');
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '');
}

/** The method, or the class itself when `method` is `undefined`. */
function functionOf(
  target: object,
  method: string | symbol | undefined,
): ((...args: never) => unknown) | undefined {
  const found =
    method === undefined ? target : (target as Record<string | symbol, unknown>)[method];
  return typeof found === 'function' ? (found as (...args: never) => unknown) : undefined;
}
