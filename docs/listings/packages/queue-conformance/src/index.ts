import type { JobDriver } from '@thereafter/queue/driver';
import { memory } from '@thereafter/queue/testing';

/** Stands for a store of your own. */
export function mine({ url }: { readonly url: string }): JobDriver {
  void url;
  return memory();
}
