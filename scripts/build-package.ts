// Builds the package in the working directory: JavaScript for each of its doors, those to itself included,
// into dist/.
// Declarations are tsc's work (`tsc -b`); they stand beside.
import { existsSync, globSync, readFileSync, rmSync } from 'node:fs';
import { decoratorMetadata } from '@thereafter/cli/esbuild';
import * as esbuild from 'esbuild';

type Doors = Record<string, string | { 'thereafter-source': string }>;
interface Manifest {
  name: string;
  exports: Doors;
  /** What only the package itself may load, by a name that begins with `#`. */
  imports?: Doors;
}
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest;
const entryPoints = Object.values({ ...manifest.exports, ...manifest.imports })
  .filter((door) => typeof door === 'object')
  .map((door) => door['thereafter-source']);

// What an earlier build left would be published too: chunks, whose names carry a hash, and
// declarations of files that are gone.
for (const old of globSync('dist/**/*.js{,.map}')) rmSync(old);
for (const old of globSync('dist/**/*.d.ts{,.map}')) {
  const source = old.replace(/^dist/, 'src').replace(/\.d\.ts(\.map)?$/, '.ts');
  if (!existsSync(source)) rmSync(old);
}

await esbuild.build({
  entryPoints,
  outdir: 'dist',
  outbase: 'src',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node22',
  keepNames: true,
  sourcemap: true,
  plugins: [decoratorMetadata()],
});
console.log(`${manifest.name}: ${entryPoints.join(', ')}`);
