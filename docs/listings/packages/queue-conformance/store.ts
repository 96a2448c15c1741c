import { describeDriver } from '@thereafter/queue-conformance';
import { sqlite } from '@thereafter/queue/sqlite'; // a store of yours
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describeDriver('sqlite', {
  capabilities: sqlite({ file: 'never-opened.db' }).capabilities, // what it does not claim is skipped
  sharesPlace: true,
  async create() {
    const folder = await mkdtemp(join(tmpdir(), 'jobs-'));
    const file = join(folder, 'jobs.db');
    return {
      address: file,
      open: () => sqlite({ file }),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
    };
  },
});
