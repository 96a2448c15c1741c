import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ThreadError } from './errors.ts';

/** What a worker thread is asked to do. */
export interface ThreadCall {
  /** The URL of a module. */
  readonly module: string;
  readonly exportName: string;
  readonly args: readonly unknown[];
}

/** Runs in the worker thread: calls an exported function. */
export async function call({ module, exportName, args }: ThreadCall): Promise<unknown> {
  const exports = (await import(onDisk(module))) as Record<string, unknown>;
  const fn = exports[exportName];
  if (typeof fn !== 'function') {
    // Says whose error it is: neither a class nor a code survives the way out of a thread.
    const cause = 'THREAD_NO_FUNCTION' satisfies ThreadError['code'];
    throw new Error(`${module} exports no function ${exportName}.`, { cause });
  }
  return await fn(...args);
}

/**
 * `resize.ts` for `resize.js` where a program runs from source: one name holds for it and for its build,
 * as it does in imports.
 */
function onDisk(module: string): string {
  const source = module.replace(/\.(m?)js$/, '.$1ts');
  const isSourceOnly = source !== module && !isFile(module) && isFile(source);
  return isSourceOnly ? source : module;
}

function isFile(url: string): boolean {
  return url.startsWith('file:') && existsSync(fileURLToPath(url));
}
