import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests compile decorators as the loader and the build do.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: { include: ['test/**/*.test.ts'] },
});
