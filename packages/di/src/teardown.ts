/** Ends one value; may be asynchronous, may throw. `error` is what the handler threw, if it did. */
export type Teardown = (error: Failure | undefined) => unknown;

/** An error in a box, since anything may be thrown, `undefined` included. */
export interface Failure {
  readonly error: unknown;
}

/**
 * Ends values in reverse order of their creation. Each is ended, whatever the others do.
 *
 * @returns What was thrown; empty when all went well.
 */
export async function tearDown(
  teardowns: Teardown[],
  error: Failure | undefined,
): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (let teardown; (teardown = teardowns.pop());) {
    try {
      await teardown(error);
    } catch (failure) {
      if (failure !== error?.error) failures.push(failure);
    }
  }
  return failures;
}

/** How to end an object with `Symbol.asyncDispose` or `Symbol.dispose`. */
export function disposal(value: Partial<AsyncDisposable & Disposable>): Teardown {
  return () => (value[Symbol.asyncDispose] ?? value[Symbol.dispose])?.call(value);
}

export type AnyGenerator = Generator | AsyncGenerator;

export function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== 'object' || value === null) return false;
  const tag = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === 'AsyncGenerator' || tag === 'Generator';
}

/** How to end a generator dependency: its code after `yield` runs, and sees the handler's error there. */
export function generatorEnd(generator: AnyGenerator): Teardown {
  return async (failure) => {
    const last = await (failure ? generator.throw(failure.error) : generator.next());
    if (last.done !== true) {
      await generator.return(undefined);
      throw new TypeError(
        'A generator dependency must yield exactly once; this one yielded again.',
      );
    }
  };
}
