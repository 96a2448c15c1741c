import { bundle as bundleBuilt } from '@thereafter/cli/esbuild';

/** `bundle()` of the package, led to the sources of the workspace. */
export const bundle: typeof bundleBuilt = (entry, outfile, options) =>
  bundleBuilt(entry, outfile, { ...options, conditions: ['thereafter-source'] });
