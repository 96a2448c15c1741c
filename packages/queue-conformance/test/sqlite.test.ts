import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqlite, type Durability } from '@thereafter/queue/sqlite';
import { describeDriver } from '../src/index.ts';

for (const durability of ['process', 'power'] satisfies Durability[]) {
  describeDriver(`sqlite, durability ${durability}`, {
    capabilities: sqlite({ file: 'never-opened.db', durability }).capabilities,
    childModule: new URL('./open-sqlite.ts', import.meta.url),
    sharesPlace: true,
    async create() {
      const folder = await mkdtemp(join(tmpdir(), 'job-store-'));
      const file = join(folder, 'jobs.db');
      return {
        address: `${durability} ${file}`,
        open: () => sqlite({ file, durability }),
        [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
      };
    },
  });
}
