import { existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Every folder with a `test` folder is a project of its own: `pnpm test --project di`. */
const folders = globSync(['packages/*', 'apps/*', 'docs', 'scripts'], { cwd: import.meta.dirname })
  .filter((folder) => existsSync(join(import.meta.dirname, folder, 'test')))
  .toSorted();

export default defineConfig({
  // Tests compile decorators as the loader and the bundler do, and read the packages' sources, not
  // their builds. Explicit because a fixture may lie outside every tsconfig's `include`.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions: ['thereafter-source'] },
  ssr: { resolve: { conditions: ['thereafter-source'] } },
  test: {
    projects: folders.map((folder) => ({
      extends: true as const,
      root: folder,
      test: { name: basename(folder), include: ['test/**/*.test.ts'] },
    })),
    environment: 'node',
    pool: 'forks',
    // typebox alone is 700 modules; loading it again for each file would be most of a run.
    isolate: false,
    // Most of a run is waiting: for programs, browsers and timers. More workers than cores overlap it.
    maxWorkers: Math.max(4, availableParallelism()),
    // The one bound on how long anything may take. It is there to end a test that hangs; a machine that
    // is busy with other things must not reach it.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    teardownTimeout: 300_000,
    expect: { poll: { timeout: 290_000, interval: 20 } },
    // .ci/run counts from this file.
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: 'test-results.json' }]]
      : ['default'],
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**', 'apps/*/src/**'],
      reporter: ['text', 'json-summary'],
    },
  },
});
