import type { JobDriver } from '../../src/driver.ts';
import { sqlite } from '../../src/sqlite/index.ts';

/** What finds a store from another process is its file. */
export function openDriver(file: string): JobDriver {
  return sqlite({ file });
}
