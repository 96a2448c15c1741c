/** A class, abstract ones included. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: constructor parameters are contravariant
export type Class<T = unknown> = abstract new (...args: any[]) => T;

declare const given: unique symbol;

/** Something that stands for a `V` when it is asked for as a dependency: a token, say. */
export interface Source<V> {
  readonly [given]: V;
}

/** A name for a dependency whose type has no value at run time, such as an interface. */
export interface Token<T> extends Source<T> {
  readonly kind: 'token';
  /** For error messages. */
  readonly name: string;
  /** Makes its value when nobody has provided one. */
  readonly default: (() => T) | undefined;
}

/** What `token()` may be told besides. */
export interface TokenOptions<T> {
  /** Makes the value when nobody provides one; called once for each container. */
  readonly default?: () => T;
}

/** Reaches a dependency at the moment of use instead of at construction. What `lazy()` stands for. */
export interface Lazy<T> {
  /**
   * The value in the scope that is current now.
   *
   * @throws {ResolutionError} `TA122` outside of any scope, for a dependency that lives in one; `TA120` when
   *   the scope has ended; `TA123` when the value has to be waited for; `TA124` when it needs who asks.
   */
  get(): T;
}

/** What `lazy()` returns. */
export interface LazySource<T> extends Source<Lazy<T>> {
  readonly kind: 'lazy';
  readonly of: () => Class<T> | Token<T>;
}

/**
 * A value that does not come from the container but from what its scope was opened with: the HTTP
 * request, the job. How a framework lets its inputs take part in injection.
 */
export interface ExternalSource {
  readonly kind: 'external';
  /** For error messages, e.g. `header 'authorization'`. */
  readonly name: string;
  /** The kind of scope that carries it. */
  readonly carriedBy: ScopeKind;
  /**
   * Compiles the reader, once for each plan. A reader may return a promise, or `INVALID` when the value is
   * unusable; the reason it leaves on the carrier.
   */
  reader(): (carrier: never) => unknown;
}

/** What a scope was opened for. `any` stands for a scope without a carrier. */
export type ScopeKind = 'http' | 'task' | 'any';

/**
 * Returned by a reader whose value is unusable. Nothing more is built in that run, but the remaining
 * readers are still asked, so that all bad inputs are known at once.
 */
export const INVALID: unique symbol = Symbol('invalid');

/** A class, or something made by `token()`, `dependency()`, `lazy()` or an input function. */
export type Key = Class | (object & { readonly kind: string });

/** What the inputs of a function dependency may be. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export type Inputs = Readonly<Record<string, Source<any> | Class<any>>>;

/** The type of the value that a source or class stands for. */
export type Gives<X> = X extends Source<infer V> ? V : X extends Class<infer T> ? T : never;

/** The types of the values of a record of inputs. */
export type Values<I> = { [K in keyof I]: Gives<I[K]> };

/**
 * Names a dependency that has no class of its own.
 *
 * @param name - For error messages; two tokens of one name stay different.
 * @param options.default - Makes the value when nobody provides one; without it, that is a fault (`TA106`).
 */
export function token<T>(name: string, options: TokenOptions<T> = {}): Token<T> {
  return { kind: 'token', name, default: options.default } as Token<T>; // the symbol of Source exists in types only
}

/**
 * Breaks a cycle, or lets a singleton reach what lives in a scope.
 *
 * @param of - Called once the graph is planned, so the class may be declared later in the file.
 */
export function lazy<T>(of: () => Class<T> | Token<T>): Source<Lazy<T>> {
  return { kind: 'lazy', of } as LazySource<T>; // the symbol of Source exists in types only
}

/** The name of a key, or of what is no key, for people. */
export function nameOf(key: unknown): string {
  if (typeof key === 'function') return key.name || 'an anonymous class';
  if (typeof key !== 'object' || key === null) return String(key);
  const { kind, name } = key as { kind?: unknown; name?: unknown };
  return typeof name === 'string' && name !== ''
    ? name
    : `a ${typeof kind === 'string' ? kind : 'plain object'}`;
}
