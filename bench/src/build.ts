import { bundle } from '@thereafter/cli/esbuild';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../', import.meta.url));

/**
 * Builds programs of this folder for production. We go into the bundle, as our users' programs have us;
 * peers come from their own packages, as published. `full` takes everything in.
 *
 * @param entries - Files below `bench/`, such as `servers/raw.ts`.
 * @returns The built files, in the same order.
 */
export async function build(
  entries: readonly string[],
  { isFull = false }: { readonly isFull?: boolean } = {},
): Promise<string[]> {
  return Promise.all(
    entries.map(async (entry) => {
      const suffix = isFull ? '.full.mjs' : '.mjs';
      const outfile = `${folder}dist/${entry.replace(/\.ts$/, suffix)}`;
      const isOurs = /\bthereafter/.test(entry);
      await bundle(`${folder}${entry}`, outfile, {
        conditions: ['thereafter-source'],
        sourcemap: false,
        // Names cost a call for each function that is made; only we depend on them.
        ...(!isOurs && { keepNames: false }),
        ...(!isOurs && !isFull && { packages: 'external' }),
        logLevel: 'error',
      });
      return outfile;
    }),
  );
}

/** The versions of packages that are installed for bench. */
export function versionsOf(packages: readonly string[]): Record<string, string> {
  const require = createRequire(import.meta.url);
  return Object.fromEntries(
    packages.map((name) => {
      const folders = require.resolve.paths(name) ?? [];
      for (const base of folders) {
        try {
          return [name, (require(`${base}/${name}/package.json`) as { version: string }).version];
        } catch {
          // not in this folder
        }
      }
      return [name, 'unknown'];
    }),
  );
}
