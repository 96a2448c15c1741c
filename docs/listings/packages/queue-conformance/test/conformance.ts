// #region suite
import { describeDriver } from '@thereafter/queue-conformance';
import { mine } from '../src/index.ts';
// #endregion

const url = 'mine://localhost';

async function emptyPlace(): Promise<string> {
  return `${url}/${crypto.randomUUID()}`;
}

async function remove(address: string): Promise<void> {
  void address;
}

// #region suite
describeDriver('mine', {
  capabilities: mine({ url }).capabilities, // what it does not claim is skipped
  sharesPlace: true,
  childModule: new URL('./open-mine.ts', import.meta.url), // exports openDriver(address)
  async create() {
    const address = await emptyPlace();
    return {
      address,
      open: () => mine({ url: address }),
      [Symbol.asyncDispose]: () => remove(address),
    };
  },
});
// #endregion
