import { describeCopies, THIS_COPY } from './copies.ts';
import type { InjectionCode } from './errors.ts';
import type { Lifetime } from './lifetime.ts';
import { declaredCount, markOf, parameterNames, parametersOf, type Parameter } from './metadata.ts';
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

/** What `dependency()` may be told besides. */
export interface DependencyOptions {
  /** How long the value lives; default `'request'`. */
  readonly scope?: Lifetime;
  /** For error messages; default: the name of the function. */
  readonly name?: string;
}

/** A function that makes a value from other dependencies. What `dependency()` returns. */
export interface Dependency<V> extends Source<V> {
  readonly kind: 'dependency';
  /** For error messages. */
  readonly name: string;
  /** How long the value lives. */
  readonly lifetime: Lifetime;
  /** What it needs, by the names under which it gets it. */
  readonly inputs: Readonly<Record<string, Key>>;
  /** Makes the value. */
  readonly make: (values: never) => unknown;
}

/**
 * Declares a function dependency: a record of what it needs, then a function of that record. A promise is
 * awaited before the value is passed on.
 *
 * A generator yields its value, exactly once. Its code after `yield` runs when the scope ends; an error of
 * the handler arrives at the `yield` and stays an error even if the generator swallows it.
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
  /** For error messages, e.g. `mailer` or `auth`; absent where there is no name to tell. */
  readonly label?: string;
  /** What is asked for; why that cannot be injected, if it cannot. */
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
      /** Whether instances say how to end them. */
      readonly isDisposable: boolean;
      readonly lifetime: Lifetime;
      readonly needs: readonly Need[];
    }
  | {
      readonly kind: 'function';
      readonly make: (values: never) => unknown;
      readonly lifetime: Lifetime;
      readonly needs: readonly Need[];
    };

/** Says as a provider what a user says of a token or class. */
export function toProvider(provision: Provision<unknown>): Provider {
  if ('value' in provision) return { kind: 'value', value: provision.value };
  return { kind: 'alias', to: 'class' in provision ? provision.class : provision.make };
}

/** The provider of a key that nobody registered: what the key itself says. */
export function defaultProvider(key: Key): Provider | Unusable {
  if (typeof key === 'function') {
    return isArrow(key) ? NO_CLASS : classProvider(key);
  }
  switch ((key as Partial<typeof key> | undefined)?.kind) {
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
      const { default: make } = key as Token<unknown>;
      if (make) return { kind: 'function', make, lifetime: 'singleton', needs: [] };
      return new Unusable(
        'TA106',
        `nothing provides ${nameOf(key)}`,
        `Register it: provide(${nameOf(key)}, { value | class | make }), or give its token a default.`,
      );
    }
    default:
      return key === undefined
        ? notDefinedYet('what is asked for')
        : new Unusable(
            'TA108',
            `${nameOf(key)} is not something that can be injected`,
            'Ask for a class, a token(), a dependency(), lazy() or an input such as query().',
          );
  }
}

/** Whether it is a function that can make nothing with `new`, and none of JavaScript. */
function isArrow(key: Class): boolean {
  return key.prototype === undefined && !isBuiltIn(key);
}

const NO_CLASS = new Unusable(
  'TA108',
  'a function is not something that can be injected',
  'Ask for the class itself; where that is declared later, or in a cycle, with @Inject(lazy(() => TheClass)). ' +
    'A function that makes something is to be wrapped: dependency({ … }, make).',
);

function classProvider(target: Class): Provider | Unusable {
  const mark = markOf(target);
  if (!mark) return notDecorated(target);
  if (mark.copy !== THIS_COPY) {
    const { problem, remedy } = describeCopies(mark.copy);
    return new Unusable(
      'TA113',
      `${nameOf(target)} was decorated by another copy: ${problem}`,
      remedy,
    );
  }
  const prototype = target.prototype as object;
  return {
    kind: 'class',
    class: target,
    isDisposable: Symbol.asyncDispose in prototype || Symbol.dispose in prototype,
    lifetime: mark.lifetime,
    needs: constructorNeeds(target),
  };
}

function notDecorated(target: Class): Unusable {
  return isBuiltIn(target)
    ? new Unusable(
        'TA104',
        `${nameOf(target)} is built into JavaScript, and no container can choose one`,
        'Inject a token() with @Inject, or ask for a class of your own.',
      )
    : new Unusable(
        'TA102',
        `${nameOf(target)} is not decorated, so the types of its parameters are unknown`,
        `Add @Injectable() to ${nameOf(target)}; if it is abstract, provide(${nameOf(target)}, { class: … }).`,
      );
}

function constructorNeeds(target: Class): readonly Need[] {
  const parameters = parametersOf(target);
  if (parameters) return toNeeds(parameters, target, undefined, nameOf(target));
  if (target.length > 0) {
    return [{ key: markOf(target) ? noMetadata(target) : notDecorated(target) }];
  }
  // A decorated class without a constructor of its own has its parent's.
  const parent: unknown = Object.getPrototypeOf(target);
  return typeof parent === 'function' && parent !== Function.prototype
    ? constructorNeeds(parent as Class)
    : [];
}

/**
 * What the parameters of a decorated method ask for, an inherited one included.
 *
 * @returns One need for each parameter. A parameter that cannot be injected is a fault when it is planned.
 */
export function methodNeeds(target: Class, method: string | symbol): readonly Need[] {
  const name = `${nameOf(target)}.${String(method)}`;
  let owner: object | null = target.prototype as object;
  while (owner && !Object.hasOwn(owner, method))
    owner = Object.getPrototypeOf(owner) as typeof owner;
  if (!owner) return [];
  const parameters = parametersOf(owner, method);
  if (parameters) return toNeeds(parameters, owner, method, name);
  return declaredCount(owner, method) > 0 ? [{ key: noMetadata(owner, method, name) }] : [];
}

function noMetadata(target: object, method?: string | symbol, name = nameOf(target)): Unusable {
  const names = parameterNames(target, method);
  const list = names.every((n) => n !== undefined) ? `(${names.join(', ')})` : '';
  return new Unusable(
    'TA101',
    `the compiler emitted no types for the parameters of ${name}${list}`,
    'esbuild and tsx alone cannot: run with `node --import @thereafter/cli/register`, bundle with ' +
      'the plugin of @thereafter/cli/esbuild, set "emitDecoratorMetadata", or use inject().',
  );
}

// Other built-ins are found when it turns out that they are not decorated.
const VALUES = new Set<unknown>([String, Number, Boolean, Symbol, BigInt, Array, Promise]);

function toNeeds(
  parameters: readonly Parameter[],
  target: object,
  method: string | symbol | undefined,
  ownerName: string,
): readonly Need[] {
  const hasTypes = parameters.every(({ input, type }) => input || type);
  if (!hasTypes) return [{ key: noMetadata(target, method, ownerName) }];
  return parameters.map(
    (parameter, index) => new ParameterNeed(parameter, { target, method, ownerName, index }),
  );
}

interface Place {
  readonly target: object;
  readonly method: string | symbol | undefined;
  readonly ownerName: string;
  readonly index: number;
}

class ParameterNeed implements Need {
  readonly key: Key | Unusable;
  readonly #place: Place;

  constructor({ input, type }: Parameter, place: Place) {
    this.#place = place;
    this.key = input
      ? (input.key ?? notDefinedYet(`what ${this.#description} asks for`))
      : this.#keyOfType(type?.value);
  }

  /** Only an error message asks for it, so the source text is not searched before. */
  get label(): string {
    const { target, method, index } = this.#place;
    return parameterNames(target, method)[index] ?? `parameter ${index + 1}`;
  }

  get #description(): string {
    return `${this.label} of ${this.#place.ownerName}`;
  }

  /** Never guesses. What compilers emit for types that are no class: docs/reference/errors.md, TA103. */
  #keyOfType(type: unknown): Key | Unusable {
    if (type === undefined) return notDefinedYet(`the class of ${this.#description}`);
    if (VALUES.has(type)) {
      return new Unusable(
        'TA104',
        `${this.#description} is a ${nameOf(type)}, which no container can choose`,
        'Say where it comes from with a decorator such as @Query or @Path, or inject a token() with @Inject; ' +
          'what an async factory of a token gives is awaited at start.',
      );
    }
    if (typeof type === 'function' && type !== Object && type !== Function) return type as Class;
    return new Unusable(
      'TA103',
      `the type of ${this.#description} does not exist at run time`,
      typeof type === 'object'
        ? 'It is an enum or a schema: say where the value comes from, as in @Body(schema).'
        : 'An interface or alias needs a token(); `import type` must be `import`; write `x?: X` instead of ' +
            '`X | null`; in a bundle, look for a circular import.',
    );
  }
}

function notDefinedYet(what: string): Unusable {
  return new Unusable(
    'TA105',
    `${what} is not defined yet`,
    'Two files import each other, or it is declared further down. Move it to a file that both import, or ' +
      'inject it with @Inject(lazy(() => TheClass)).',
  );
}

function isBuiltIn(type: unknown): boolean {
  return (
    typeof type === 'function' &&
    /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(type))
  );
}
