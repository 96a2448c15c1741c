import { describeDriver } from '../../src/conformance/index.ts';
import type { Durability } from '../../src/sqlite/options.ts';
import { sqlite } from '../../src/sqlite/index.ts';
import { tempFolder } from './support.ts';

for (const durability of ['process', 'power'] satisfies Durability[]) {
  describeDriver(`sqlite, durability ${durability}`, {
    capabilities: sqlite({ file: 'never-opened.db', durability }).capabilities,
    childModule: new URL('./open-sqlite.ts', import.meta.url),
    sharesPlace: true,
    async create() {
      const folder = await tempFolder();
      return {
        address: folder.file,
        open: () => sqlite({ file: folder.file, durability }),
        [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
      };
    },
  });
}
