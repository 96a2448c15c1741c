import type { JobDriver } from '@thereafter/queue/driver';
import { sqlite, type Durability } from '@thereafter/queue/sqlite';

/** Opens the store for a child process of the conformance suite, which finds it by `<durability> <file>`. */
export function openDriver(address: string): JobDriver {
  const [, durability, file] = /^(\w+) (.*)$/.exec(address)!;
  return sqlite({ file: file!, durability: durability as Durability });
}
