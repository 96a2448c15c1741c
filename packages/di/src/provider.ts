import { injectableLifetime, parametersOf, type Parameter } from './metadata.ts';
import { InjectionError, type InjectionCode } from './errors.ts';
import {
  nameOf,
  type Class,
  type ExternalSource,
  type Inputs,
  type Key,
  type LazySource,
  type Source,
  type Token,
  type Values,
} from './token.ts';

/**
 * How long a value lives.
 *
 * - `singleton` one per container, until it is closed
 * - `request` one per scope: an HTTP request with its background tasks, a task run, a test
 * - `handler` one per scope, closed when the handler has returned, before the response is sent
 * - `transient` a new one for each place that asks
 */
export type Lifetime = 'singleton' | 'request' | 'handler' | 'transient';

export interface DependencyOptions {
  /** Default `'request'`. */
  readonly scope?: Lifetime;
  /** For error messages; default: the name of the function. */
  readonly name?: string;
}

/** A function that makes a value from other dependencies. */
export interface Dependency<V> extends Source<V> {
  readonly kind: 'dependency';
  readonly name: string;
  readonly lifetime: Lifetime;
  readonly inputs: Readonly<Record<string, Key>>;
  readonly make: (values: never) => unknown;
}

/**
 * Declares a function dependency: a record of what it needs, then a function of that record.
 *
 * A generator's code after `yield` runs when the scope ends; an error of the handler arrives at the
 * `yield` and stays an error even if the generator swallows it.
 */
export function dependency<const I extends Inputs, V>(
  inputs: I,
  make: (values: Values<I>) => AsyncGenerator<V, void> | Generator<V, void>,
  options?: DependencyOptions,
): Dependency<V>;
export function dependency<const I extends Inputs, V>(
  inputs: I,
  make: (values: Values<I>) => Promise<V>,
  options?: DependencyOptions,
): Dependency<V>;
export function dependency<const I extends Inputs, V>(
  inputs: I,
  make: (values: Values<I>) => V,
  options?: DependencyOptions,
): Dependency<V>;
export function dependency(
  inputs: Inputs,
  make: (values: never) => unknown,
  options: DependencyOptions = {},
): Dependency<unknown> {
  return {
    kind: 'dependency',
    name: options.name ?? (make.name || `dependency(${Object.keys(inputs).join(', ')})`),
    lifetime: options.scope ?? 'request',
    inputs: inputs as unknown as Readonly<Record<string, Key>>, // every source is an object with a kind
    make,
  } as unknown as Dependency<unknown>; // the symbol of Source exists in types only
}

/** How a token or class gets its value. */
export type Provision<T> =
  /** Exactly this value. It is the caller's: the container never disposes it. */
  | { readonly value: T }
  /** An instance of another class. */
  | { readonly class: Class<T> }
  /** What a function dependency returns, with that dependency's lifetime. */
  | { readonly make: Dependency<T> };

/** A parameter of something that is to be built. */
export interface Need {
  /** For error messages, e.g. `parameter 1` or `auth`. */
  readonly label: string;
  readonly key: Key | Unusable;
}

/** A parameter that cannot be injected, and why. */
export class Unusable {
  readonly code: InjectionCode;
  readonly problem: string;
  readonly remedy: string;
  constructor(code: InjectionCode, problem: string, remedy: string) {
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
  }
  toError(path: readonly string[]): InjectionError {
    return new InjectionError(this.code, path, this.problem, this.remedy);
  }
}

/** What to do to get the value of a key. */
export type Provider =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'alias'; readonly to: Key }
  | { readonly kind: 'external'; readonly source: ExternalSource }
  | { readonly kind: 'lazy'; readonly of: () => Key }
  | {
      readonly kind: 'class';
      readonly class: Class;
      readonly lifetime: Lifetime;
      readonly needs: readonly Need[];
    }
  | {
      readonly kind: 'function';
      readonly make: (values: never) => unknown;
      readonly lifetime: Lifetime;
      readonly needs: readonly Need[];
    };

export function toProvider(provision: Provision<unknown>): Provider {
  if ('value' in provision) return { kind: 'value', value: provision.value };
  return { kind: 'alias', to: 'class' in provision ? provision.class : provision.make };
}

/** The provider of a key that nobody registered: what the key itself says. */
export function defaultProvider(key: Key): Provider | Unusable {
  if (typeof key === 'function') return classProvider(key);
  switch (key.kind) {
    case 'dependency': {
      const { make, lifetime, inputs } = key as Dependency<unknown>;
      const needs = Object.entries(inputs).map(([label, input]) => ({ label, key: input }));
      return { kind: 'function', make, lifetime, needs };
    }
    case 'lazy':
      return { kind: 'lazy', of: (key as LazySource<unknown>).of as () => Key };
    case 'external':
      return { kind: 'external', source: key as ExternalSource };
    case 'token': {
      const { name, default: make } = key as Token<unknown>;
      if (make) return { kind: 'function', make, lifetime: 'singleton', needs: [] };
      return new Unusable(
        'TA106',
        `nothing provides ${name}`,
        `Register it: provide(${name}, { value | class | make }), or give its token a default.`,
      );
    }
    default:
      return new Unusable(
        'TA108',
        `${nameOf(key)} is not something that can be injected`,
        'Ask for a class, a token(), a dependency(), lazy() or an input such as query().',
      );
  }
}

function classProvider(target: Class): Provider | Unusable {
  const lifetime = injectableLifetime(target);
  if (lifetime === undefined) {
    return new Unusable(
      'TA102',
      `${nameOf(target)} is not decorated, so the types of its parameters are unknown`,
      `Add @Injectable() to ${nameOf(target)}; if it is abstract, provide(${nameOf(target)}, { class: … }).`,
    );
  }
  return { kind: 'class', class: target, lifetime, needs: constructorNeeds(target) };
}

function constructorNeeds(target: Class): readonly Need[] {
  const parameters = parametersOf(target);
  if (parameters) return parameters.map(toNeed);
  if (target.length > 0) return [{ label: 'parameter 1', key: noMetadata(nameOf(target)) }];
  // A decorated class without a constructor of its own has its parent's.
  const parent: unknown = Object.getPrototypeOf(target);
  return typeof parent === 'function' && parent !== Function.prototype
    ? constructorNeeds(parent as Class)
    : [];
}

/** What the parameters of a decorated method ask for. */
export function methodNeeds(target: Class, method: string | symbol): readonly Need[] {
  const prototype = target.prototype as Record<string | symbol, unknown>;
  for (let owner: object | null = prototype; owner; owner = Object.getPrototypeOf(owner)) {
    if (!Object.hasOwn(owner, method)) continue;
    const parameters = parametersOf(owner, method);
    if (parameters) return parameters.map(toNeed);
    const declared = (prototype[method] as { length?: number } | undefined)?.length ?? 0;
    const name = `${nameOf(target)}.${String(method)}`;
    return declared > 0 ? [{ label: 'parameter 1', key: noMetadata(name) }] : [];
  }
  return [];
}

function noMetadata(what: string): Unusable {
  return new Unusable(
    'TA101',
    `the compiler emitted no types for the parameters of ${what}`,
    'esbuild and tsx alone cannot: run with `node --import @thereafter/cli/register`, bundle with ' +
      'the plugin of @thereafter/cli/esbuild, set "emitDecoratorMetadata", or use inject().',
  );
}

const NOT_INJECTABLE = new Set<unknown>([String, Number, Boolean, Symbol, BigInt, Array, Promise]);

/** Never guesses: what compilers emit for types that are no class is told apart in docs/reference. */
function toNeed({ input, type }: Parameter, index: number): Need {
  const label = `parameter ${index + 1}`;
  if (input !== undefined) return { label, key: input };
  if (type === undefined) {
    return {
      label,
      key: new Unusable(
        'TA105',
        `the class of ${label} is not defined yet`,
        'Break the circular import between the two files, or inject it with @Inject(lazy(() => TheClass)).',
      ),
    };
  }
  if (NOT_INJECTABLE.has(type)) {
    return {
      label,
      key: new Unusable(
        'TA104',
        `${label} is a ${nameOf(type)}, which no container can choose`,
        'Say where it comes from with a decorator such as @Query or @Path, or inject a token() with @Inject.',
      ),
    };
  }
  if (typeof type !== 'function' || type === Object || type === Function) {
    return {
      label,
      key: new Unusable(
        'TA103',
        `the type of ${label} does not exist at run time`,
        'An interface or alias needs a token(); `import type` must be `import`; write `x?: X` instead of ' +
          '`X | null`; in a bundle, look for a circular import.',
      ),
    };
  }
  return { label, key: type as Class };
}
