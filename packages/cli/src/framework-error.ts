/**
 * Whether an error is one that the framework throws on purpose: its message says what to do, and needs no
 * stack. Told by name, since the program may have a copy of the class of its own.
 */
export function isFrameworkError(error: unknown): error is Error {
  for (let type: unknown = error; type; type = Object.getPrototypeOf(type)) {
    if ((type as object).constructor?.name === 'ThereafterError') return true;
  }
  return false;
}
