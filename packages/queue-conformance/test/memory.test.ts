import { memory, MemoryStore } from '@thereafter/queue/testing';
import { describeDriver } from '../src/index.ts';

describeDriver('memory', {
  capabilities: memory().capabilities,
  sharesPlace: true,
  create() {
    const store = new MemoryStore();
    return {
      address: 'this process',
      open: () => memory({ store }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  },
});
