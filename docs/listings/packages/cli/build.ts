import { bundle } from '@thereafter/cli/esbuild';

await bundle('src/main.ts', 'dist/main.mjs'); // one file, run by node dist/main.mjs
