/** The base of every error this project throws on purpose: `code` never changes its meaning. */
export abstract class ThereafterError extends Error {
  /** Stable identifier, documented in `docs/reference/errors.md`. Codes are never reused. */
  abstract readonly code: string;

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * Why something cannot be injected.
 *
 * - `TA101` the compiler emitted no decorator metadata
 * - `TA102` the class is not decorated
 * - `TA103` the parameter's type does not exist at run time
 * - `TA104` the parameter is a primitive, an array, a promise or a function
 * - `TA105` the class is not defined yet: a circular import, or a use above its declaration
 * - `TA106` nothing provides a token
 * - `TA107` an override replaces something that nobody uses
 * - `TA108` the value is not something that can be asked for
 * - `TA110` a cycle
 * - `TA111` a long-lived object would capture a short-lived one
 * - `TA112` a task asks for something that only exists during an HTTP request
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
  | 'TA112';

/** One thing that is wrong with the dependency graph. Reported at start, all of them at once. */
export class InjectionError extends ThereafterError {
  readonly code: InjectionCode;
  /** From the entry point to the culprit, e.g. `['NotesController', 'NotesService', 'Mailer']`. */
  readonly path: readonly string[];

  constructor(code: InjectionCode, path: readonly string[], problem: string, remedy: string) {
    const subject = path[0] ?? 'the container';
    const where = path.length > 1 ? ` (${path.join(' → ')})` : '';
    super(`Cannot build ${subject}: ${problem}${where}. ${remedy}`);
    this.code = code;
    this.path = path;
  }
}

/** The container cannot start. `errors` holds every fault that was found, not only the first. */
export class InvalidContainerError extends ThereafterError {
  readonly code = 'TA100';
  readonly errors: readonly InjectionError[];

  constructor(errors: readonly InjectionError[]) {
    const list = errors.map((error) => `  [${error.code}] ${error.message}`).join('\n');
    super(
      `${errors.length === 1 ? 'A dependency' : `${errors.length} dependencies`} cannot be built:\n${list}`,
    );
    this.errors = errors;
  }
}

/** Something was asked of a container or scope at a time when it cannot answer. */
export class ResolutionError extends ThereafterError {
  /**
   * - `TA120` the scope has ended
   * - `TA121` the container has not been started
   * - `TA122` `inject()` or `lazy().get()` was called where no scope is current
   * - `TA123` the value is asynchronous and has not been awaited yet
   */
  readonly code: 'TA120' | 'TA121' | 'TA122' | 'TA123';

  constructor(code: ResolutionError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
