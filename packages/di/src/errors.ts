/** The base of every error that this project throws on purpose. A `code` never changes its meaning. */
export abstract class ThereafterError extends Error {
  /** Stable identifier, documented in `docs/reference/errors.md`. Codes are never reused. */
  abstract readonly code: string;
  /**
   * After how many seconds another try makes sense; absent where it does not. A handler that throws such
   * an error answers 503 with `Retry-After`.
   */
  declare readonly retryAfterSeconds?: number;

  override get name(): string {
    return this.constructor.name;
  }

  /** Whether a value is an error of this project. `ArgumentError` is one, though it extends another class. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    const isInstance = Function.prototype[Symbol.hasInstance];
    return (
      isInstance.call(this, value) ||
      (this === ThereafterError && isInstance.call(ArgumentError, value))
    );
  }
}

/**
 * The program gave an argument or an option that cannot be used. The message says what can. It is a
 * `TypeError`, as JavaScript calls such a mistake, and a `ThereafterError` too.
 */
export class ArgumentError extends TypeError implements ThereafterError {
  readonly code = 'ARGUMENT_INVALID';
  declare readonly retryAfterSeconds?: number;

  override get name(): string {
    return 'ArgumentError';
  }
}

/**
 * Why something cannot be injected.
 *
 * - `TA101` the compiler emitted no decorator metadata
 * - `TA102` the class is not decorated
 * - `TA103` the parameter's type does not exist at run time
 * - `TA104` the parameter is a primitive, an array, a promise or a built-in
 * - `TA105` the class is not defined yet: a circular import, or a use above its declaration
 * - `TA106` a token has no provider
 * - `TA107` an override replaces something that nobody asks for
 * - `TA108` the value is not something that can be asked for
 * - `TA110` a cycle
 * - `TA111` a long-lived object would capture a short-lived one
 * - `TA112` something asks for what its kind of scope does not carry: a part of an HTTP request, in a task
 * - `TA113` the package is loaded twice
 */
export type InjectionCode =
  | 'TA101'
  | 'TA102'
  | 'TA103'
  | 'TA104'
  | 'TA105'
  | 'TA106'
  | 'TA107'
  | 'TA108'
  | 'TA110'
  | 'TA111'
  | 'TA112'
  | 'TA113';

/** One step of the way to a culprit. */
export interface Hop {
  readonly name: string;
  /** The parameter that asks for it, where there is one. */
  readonly label?: string | undefined;
}

/** One thing that is wrong with the dependency graph. They are reported at start, all of them at once. */
export class InjectionError extends ThereafterError {
  /** What is wrong. */
  readonly code: InjectionCode;
  /** From the entry point to the culprit, e.g. `['NotesController', 'NotesService', 'Mailer']`. */
  readonly path: readonly string[];

  constructor(code: InjectionCode, hops: readonly Hop[], problem: string, remedy: string) {
    const path = hops.map(({ name }) => name);
    const where = path.length > 1 ? ` (${hops.map(describeHop).join(' → ')})` : '';
    super(`Cannot build ${path[0] ?? 'the container'}: ${problem}${where}. ${remedy}`);
    this.code = code;
    this.path = path;
  }
}

function describeHop({ name, label }: Hop, index: number): string {
  return label === undefined || index === 0 ? name : `${label}: ${name}`;
}

/** The container cannot start, or cannot build what it is asked for (`TA100`). */
export class InvalidContainerError extends ThereafterError {
  readonly code = 'TA100';
  /** Every fault that was found, not only the first. */
  readonly errors: readonly InjectionError[];

  constructor(errors: readonly InjectionError[]) {
    const list = errors.map((error) => `  [${error.code}] ${error.message}`).join('\n');
    super(
      `${errors.length === 1 ? 'A dependency' : `${errors.length} dependencies`} cannot be built:\n${list}`,
    );
    this.errors = errors;
  }
}

/**
 * Why a container or a scope cannot do something.
 *
 * - `TA120` the scope has ended, or the container is closed
 * - `TA121` the container has not been started
 * - `TA122` `inject()` or `lazy().get()` was called where no scope is current
 * - `TA123` the value is asynchronous and has not been awaited yet
 * - `TA124` it is being built right now, and asks for itself
 * - `TA125` an input that it needs is not valid
 * - `TA126` the container has started, and everything was planned then
 * - `TA127` a generator dependency did not yield once
 */
export type ResolutionCode =
  | 'TA120'
  | 'TA121'
  | 'TA122'
  | 'TA123'
  | 'TA124'
  | 'TA125'
  | 'TA126'
  | 'TA127';

/** Something was asked of a container or a scope that it cannot do, or not at this time. */
export class ResolutionError extends ThereafterError {
  /** Why it cannot. */
  readonly code: ResolutionCode;

  constructor(code: ResolutionCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * More than one thing failed, and each is told of. What fails alone is thrown as it is.
 *
 * - `TA130` singletons could not be built
 * - `TA131` the clean-up of a scope or a container failed
 */
export class SeveralFailedError extends ThereafterError {
  readonly code: 'TA130' | 'TA131';
  /** What was thrown, in the order of time. */
  readonly errors: readonly unknown[];

  constructor(code: SeveralFailedError['code'], errors: Iterable<unknown>, message: string) {
    super(message);
    this.code = code;
    this.errors = [...errors];
  }
}
