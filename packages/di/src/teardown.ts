import { ResolutionError, SeveralFailedError } from './errors.ts';

/** Ends one value; may be asynchronous, may throw. `failure` is what the handler threw, if it did. */
export type Teardown = (failure: Failure | undefined) => unknown;

/** What was thrown, in a box, since anything may be thrown, `undefined` included. */
export interface Failure {
  readonly error: unknown;
}

/**
 * Ends values in reverse order of their creation. Each is ended, whatever the others do. Synchronous as
 * long as they are.
 *
 * @returns What was thrown; empty when all went well. The failure that was passed in is none of them.
 */
export function tearDown(
  teardowns: Teardown[],
  failure: Failure | undefined,
  failures: unknown[] = [],
): unknown[] | Promise<unknown[]> {
  const note = (error: unknown): void => {
    if (!failure || error !== failure.error) failures.push(error);
  };
  for (let teardown; (teardown = teardowns.pop());) {
    try {
      const ending = teardown(failure);
      if (isPromise(ending)) {
        return ending.then(undefined, note).then(() => tearDown(teardowns, failure, failures));
      }
    } catch (error) {
      note(error);
    }
  }
  return failures;
}

/** Throws what disposers threw: one as it is, several in a `SeveralFailedError`. */
export function throwAny(failures: readonly unknown[], where: string): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  throw new SeveralFailedError(
    'TA131',
    failures,
    `${failures.length} disposers failed in ${where}`,
  );
}

/** How to end an object with `Symbol.asyncDispose` or `Symbol.dispose`. */
export function disposal(value: Partial<AsyncDisposable & Disposable>): Teardown {
  return () => (value[Symbol.asyncDispose] ?? value[Symbol.dispose])?.call(value);
}

/** What a generator function returns, asynchronous or not. */
export type AnyGenerator = Generator | AsyncGenerator;

/** Whether a value is what a generator function returns. */
export function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === 'AsyncGenerator' || tag === 'Generator';
}

/** How to end a generator dependency: its code after `yield` runs, and sees the handler's error there. */
export function generatorEnd(generator: AnyGenerator, name: string): Teardown {
  const assertDone = ({ done }: IteratorResult<unknown>): unknown => {
    if (done === true) return undefined;
    const complaint = new ResolutionError(
      'TA127',
      `The generator dependency ${name} must yield exactly once; it yielded again.`,
    );
    const returned = generator.return(undefined);
    if (!isPromise(returned)) throw complaint;
    return returned.then(() => {
      throw complaint;
    });
  };
  return (failure) => {
    const last = failure ? generator.throw(failure.error) : generator.next();
    return isPromise(last)
      ? (last as Promise<IteratorResult<unknown>>).then(assertDone)
      : assertDone(last);
  };
}

/** Whether a value is to be awaited: an object with a `then`. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
