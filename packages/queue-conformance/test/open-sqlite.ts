import type { JobDriver } from '@thereafter/queue/driver';
import { sqlite } from '@thereafter/queue/sqlite';

/** Opens the store for a child process of the conformance suite. */
export function openDriver(file: string): JobDriver {
  return sqlite({ file });
}
