import { bullmq } from '../../src/bullmq/index.ts';
import type { JobDriver } from '../../src/driver.ts';

/** `<url> <prefix>`: what finds a store from another process. */
export function openDriver(address: string): JobDriver {
  const [url = '', prefix] = address.split(' ');
  return bullmq({ url, prefix });
}
