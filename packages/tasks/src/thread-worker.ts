/** What a worker thread is asked to do. */
export interface ThreadCall {
  /** The URL of a module. */
  readonly module: string;
  readonly exportName: string;
  readonly args: readonly unknown[];
}

/** Runs in the worker thread: calls an exported function. */
export async function call({ module, exportName, args }: ThreadCall): Promise<unknown> {
  const exports = (await import(module)) as Record<string, unknown>;
  const fn = exports[exportName];
  if (typeof fn !== 'function') {
    throw new TypeError(`${module} exports no function ${exportName}.`);
  }
  return await fn(...args);
}
