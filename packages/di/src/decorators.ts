import type { Lifetime } from './lifetime.ts';
import { ArgumentError } from './errors.ts';
import { markInjectable, setInput } from './metadata.ts';
import type { Dependency } from './provider.ts';
import type { Class, Gives, Key, Source } from './token.ts';

// Since TypeScript 5.0 a parameter decorator sees class, method and index as literal types, so the
// decorated parameter's type can be looked up and compared with what the source gives.
type ParameterAt<T, K, I> = K extends keyof T
  ? T[K] extends (...args: infer A) => unknown
    ? I extends number
      ? A[I]
      : never
    : never
  : T extends abstract new (...args: infer A) => unknown
    ? I extends number
      ? A[I]
      : never
    : never;

interface Mismatch<V, P> {
  'this source does not fit the parameter': true;
  source: V;
  parameter: P;
}

/** A parameter decorator that compiles only where the parameter accepts a `V`. */
export type CheckedParam<V> = <T, K extends string | symbol | undefined, I extends number>(
  target: T,
  key: K,
  index: [V] extends [ParameterAt<T, K, I>] ? I : Mismatch<V, ParameterAt<T, K, I>>,
) => void;

/** What `@Injectable()` may say of a class. */
export interface InjectableOptions {
  /** How long an instance lives; default `'singleton'`. */
  readonly scope?: Exclude<Lifetime, 'handler'>;
}

/**
 * Marks a class whose constructor parameters are injected by their types.
 *
 * @param options.scope - How long an instance lives; default `'singleton'`, one for each container.
 */
export function Injectable(options: InjectableOptions = {}): ClassDecorator {
  return (target, context?: unknown) => {
    refuseStandardDecorator('Injectable', context);
    markInjectable(target, options.scope ?? 'singleton');
  };
}

/**
 * Refuses to be a standard (TC39) decorator: those know neither parameters nor types, so there would be
 * nothing to inject by.
 *
 * @param name - Of the decorator.
 * @param context - Its second argument; an object with a `kind` only of a standard decorator.
 * @throws {ArgumentError} Saying what to set.
 */
export function refuseStandardDecorator(name: string, context: unknown): void {
  if (typeof context !== 'object' || context === null || !('kind' in context)) return;
  throw new ArgumentError(
    `@${name} was compiled as a standard decorator, which says nothing of parameters and their types. ` +
      'Set "experimentalDecorators" and "emitDecoratorMetadata" to true in the tsconfig.json that your ' +
      'compiler reads, or run with `node --import @thereafter/cli/register`.',
  );
}

/** Injects what a token, `lazy()` or a class stands for, where the parameter's type does not say it. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export function Inject<X extends Source<any> | Class<any>>(source: X): CheckedParam<Gives<X>> {
  return parameterDecorator(source as unknown as Key); // every source is an object with a kind
}

/** Injects what a function dependency returns, or yields. A promise is awaited before. */
export function Depends<V>(dependency: Dependency<V>): CheckedParam<V> {
  return parameterDecorator(dependency);
}

/** Makes a decorator that only remembers where a parameter's value comes from, for decorators of others. */
export function parameterDecorator<V>(input: Key): CheckedParam<V> {
  // What CheckedParam checks is for callers; at run time the three arguments are these.
  return ((target: object, key: string | symbol | undefined, index: number) =>
    setInput(target, key, index, input)) as CheckedParam<V>;
}
