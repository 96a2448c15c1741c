import { createRequire } from 'node:module';

/**
 * Rewrites `using` declarations into what Node 22 knows. The code may end with an inline source map, which
 * then leads through both steps. Code without one comes back as it is.
 */
export function lowerUsing(code: string): string {
  if (!/\busing\s+[\w$]/.test(code)) return code;
  // Only loaded where it is needed, and synchronously, since modules are loaded so.
  const esbuild = createRequire(import.meta.url)('esbuild') as typeof import('esbuild');
  return esbuild.transformSync(code, {
    loader: 'js',
    format: 'esm',
    target: 'node22',
    keepNames: true,
    sourcemap: 'inline',
  }).code;
}
