// Builds the package in the working directory: each file of src/ into one of dist/, so that whoever bundles
// it can leave out what is not used. Declarations are tsc's work (`tsc -b`); they stand beside.
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { decoratorMetadata } from '@thereafter/cli/esbuild';
import * as esbuild from 'esbuild';

const { name } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string };
const entryPoints = globSync('src/**/*.ts');

// What an earlier build left of files that are gone would be published too.
for (const old of globSync('dist/**/*.{js,d.ts}{,.map}')) {
  const source = old.replace(/^dist/, 'src').replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
  if (!existsSync(source) && !/[\\/]openapi[\\/]docs-page[\\/]/.test(old)) rmSync(old);
}

/** Leads the imports of a file to what becomes of the others. */
const separateFiles: esbuild.Plugin = {
  name: 'separate-files',
  setup(build) {
    build.onResolve({ filter: /^\.{1,2}\// }, ({ kind, path }) =>
      kind === 'entry-point' ? undefined : { path: path.replace(/\.ts$/, '.js'), external: true },
    );
  },
};

await esbuild.build({
  entryPoints,
  outdir: 'dist',
  outbase: 'src',
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node22',
  keepNames: true,
  sourcemap: true,
  plugins: [separateFiles, decoratorMetadata()],
});
console.log(`${name}: ${entryPoints.length} files`);
