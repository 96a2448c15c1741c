import { bundle } from '@thereafter/cli/esbuild';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../', import.meta.url));

/** Which packages stay in node_modules. */
export type Packages =
  /** Those of peers: they are measured as published, and we as in the bundle of a user. */
  'of peers outside' | 'outside' | 'inside';

/** What Nest would use if it were installed. */
const OPTIONAL = [
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@fastify/multipart',
  'class-transformer',
  'class-validator',
  '@nestjs/websockets',
  '@fastify/static',
  '@fastify/view',
];

/**
 * Builds programs of this folder for production.
 *
 * @param entries - Files below `bench/`, such as `servers/raw.ts`.
 * @returns The built files, in the same order.
 */
export async function build(
  entries: readonly string[],
  { packages = 'of peers outside' }: { readonly packages?: Packages } = {},
): Promise<string[]> {
  const files = entries.map(async (entry) => {
    const isOurs = entry.includes('/thereafter');
    const isBundled = packages === 'inside' || (packages !== 'outside' && isOurs);
    const name = entry.replace(/\.ts$/, packages === 'inside' ? '.bundled.mjs' : '.mjs');
    const outfile = `${folder}dist/${name}`;
    await bundle(`${folder}${entry}`, outfile, {
      sourcemap: false,
      logLevel: 'error',
      ...(isBundled
        ? { conditions: ['thereafter-source'], external: OPTIONAL }
        : { packages: 'external' as const }),
      // It costs a call for each function that is made, and only our messages need the names.
      ...(!isOurs && { keepNames: false }),
    });
    return outfile;
  });
  return await Promise.all(files);
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
