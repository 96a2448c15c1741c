/**
 * Whether an error is one of the framework whose message says what to do, and needs no stack. Of a wrong
 * argument and of a problem the stack tells which line of the program it comes from. Told by name, since
 * the program may have copies of the classes of its own.
 */
export function isFrameworkError(error: unknown): error is Error {
  const names = new Set<string | undefined>();
  for (let type: unknown = error; type; type = Object.getPrototypeOf(type)) {
    names.add((type as object).constructor?.name);
  }
  return names.has('ThereafterError') && !names.has('ArgumentError') && !names.has('Problem');
}
