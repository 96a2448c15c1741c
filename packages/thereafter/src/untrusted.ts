// Looks at values of user code that may be anything: a getter or the trap of a proxy can throw at
// whoever looks. Nothing here throws.

/** Whether a value has to be waited for. A promise of another realm, or of a library, counts too. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false;
  }
}

/** Whether a value is an instance of a class. */
export function isInstance<T>(
  value: unknown,
  target: abstract new (...args: never[]) => T,
): value is T {
  try {
    return value instanceof target;
  } catch {
    return false;
  }
}

/**
 * What was thrown, as an error that can be looked at: streams of Node read the stack and the code of the
 * error that ends them.
 *
 * @returns The error itself, or one in its place that has it as its cause.
 */
export function toError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error) {
      for (const name of READ_BY_NODE) Reflect.get(thrown, name);
      return thrown;
    }
  } catch {
    // it cannot be looked at
  }
  return new Error('a value that is no error was thrown', { cause: thrown });
}

const READ_BY_NODE = ['name', 'message', 'stack', 'code'];
