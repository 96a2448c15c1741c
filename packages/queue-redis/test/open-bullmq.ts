import { bullmq } from '../src/index.ts';
import type { JobDriver } from '@thereafter/queue/driver';

/** `<url> <prefix>`: what finds a store from another process. */
export function openDriver(address: string): JobDriver {
  const [url = '', prefix] = address.split(' ');
  return bullmq({ url, prefix });
}
