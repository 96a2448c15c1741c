import type { JobDriver } from '@thereafter/queue/driver';
import { mine } from '../src/index.ts';

export function openDriver(address: string): JobDriver {
  return mine({ url: address });
}
