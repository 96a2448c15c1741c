import { describeDriver } from '../../src/conformance/index.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { openDriver } from './open-sqlite.ts';
import { tempFolder } from './support.ts';

describeDriver('sqlite', {
  async create() {
    const folder = await tempFolder();
    return {
      address: folder.file,
      open: () => openDriver(folder.file),
      [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
    };
  },
  capabilities: sqlite({ file: 'unused' }).capabilities,
  childModule: new URL('./open-sqlite.ts', import.meta.url),
  sharesPlace: true,
});
