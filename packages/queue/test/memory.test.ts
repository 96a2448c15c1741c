import { describeDriver } from '../src/conformance/index.ts';
import { MemoryStore } from '../src/testing/memory-store.ts';
import { memory } from '../src/testing/memory.ts';

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
