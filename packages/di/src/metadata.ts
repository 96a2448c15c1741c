import 'reflect-metadata';
import type { Lifetime } from './provider.ts';
import type { Key } from './token.ts';

// Symbols of the global registry, so that two copies of this module agree.
const INJECTABLE = Symbol.for('thereafter.injectable');
const INPUTS = Symbol.for('thereafter.inputs');

/** A parameter of a constructor or method, as far as it is known at run time. */
export interface Parameter {
  /** What a decorator said: `@Inject(Clock)`. */
  readonly input: Key | undefined;
  /** What the compiler emitted for its type: a class, `Object`, `String`, … */
  readonly type: unknown;
}

export function markInjectable(target: object, lifetime: Lifetime): void {
  Reflect.defineMetadata(INJECTABLE, lifetime, target);
}

/** The lifetime an `@Injectable()`-like decorator gave to exactly this class, not to its parent. */
export function injectableLifetime(target: object): Lifetime | undefined {
  return Reflect.getOwnMetadata(INJECTABLE, target) as Lifetime | undefined;
}

/** Remembers what a parameter decorator asked for. `key` is undefined for a constructor. */
export function setInput(
  target: object,
  key: string | symbol | undefined,
  index: number,
  input: Key,
): void {
  const known = ownMetadata<Map<number, Key>>(INPUTS, target, key);
  if (known) known.set(index, input);
  else defineMetadata(INPUTS, new Map([[index, input]]), target, key);
}

/**
 * The parameters of a method, or of a constructor when `key` is absent.
 *
 * @returns Nothing when neither a decorator nor the compiler said anything about them.
 */
export function parametersOf(target: object, key?: string | symbol): Parameter[] | undefined {
  const inputs = ownMetadata<Map<number, Key>>(INPUTS, target, key);
  const types = ownMetadata<unknown[]>('design:paramtypes', target, key);
  if (!inputs && !types) return undefined;
  const count = Math.max(types?.length ?? 0, ...[...(inputs?.keys() ?? [])].map((i) => i + 1));
  return Array.from({ length: count }, (_, i) => ({ input: inputs?.get(i), type: types?.[i] }));
}

function ownMetadata<T>(
  name: unknown,
  target: object,
  key: string | symbol | undefined,
): T | undefined {
  return (
    key === undefined
      ? Reflect.getOwnMetadata(name, target)
      : Reflect.getOwnMetadata(name, target, key)
  ) as T | undefined;
}

function defineMetadata(
  name: unknown,
  value: unknown,
  target: object,
  key: string | symbol | undefined,
): void {
  if (key === undefined) Reflect.defineMetadata(name, value, target);
  else Reflect.defineMetadata(name, value, target, key);
}
