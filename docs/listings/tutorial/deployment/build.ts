import { bundle } from '@thereafter/cli/esbuild';

const { outfile } = await bundle('main.ts', 'dist/main.mjs');
console.log(`${outfile} is ready`);
