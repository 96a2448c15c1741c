import { bundle } from '@thereafter/cli/esbuild';
const folder = new URL('../', import.meta.url).pathname;
for (const n of ['raw', 'thereafter'])
  await bundle(`${folder}start/${n}.ts`, `${folder}dist/start/${n}.bundled.mjs`, {
    sourcemap: false,
    logLevel: 'error',
    conditions: ['thereafter-source'],
    keepNames: n === 'thereafter',
    logOverride: {},
    metafile: true,
  } as never);
