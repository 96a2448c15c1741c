import { cp, rm } from 'node:fs/promises';
import { bundle } from '@thereafter/cli/esbuild';

const options = {
  conditions: ['thereafter-source'],
  // Not code alone: native libraries, and files that are looked for beside the package.
  external: ['sharp', 'piscina'],
};

await rm('dist', { recursive: true, force: true });
const { outfile, bytes, files } = await bundle('src/main.ts', 'dist/main.mjs', options);
// What a worker thread loads is a program of its own, looked for beside the main one.
await bundle('@thereafter/tasks/thread-worker', 'dist/thread-worker.js', options);
await bundle('src/compress-image.ts', 'dist/compress-image.js', options);
await cp('src/page', 'dist/page', { recursive: true });
console.log(`${outfile}: ${Math.round(bytes / 1024)} kB from ${files} files`);
