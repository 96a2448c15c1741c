import type { JobDriver } from '../../src/driver.ts';
import { sqlite } from '../../src/sqlite/index.ts';

/** Opens the store for a child process of the conformance suite. */
export function openDriver(file: string): JobDriver {
  return sqlite({ file });
}
