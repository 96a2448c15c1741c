import { bundle } from '@thereafter/cli/esbuild';

const { outfile, bytes, files } = await bundle('src/main.ts', 'dist/main.mjs', {
  conditions: ['thereafter-source'],
});
console.log(`${outfile}: ${Math.round(bytes / 1024)} kB from ${files} files`);
