import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The folder of this package: the parent of `src`, and of `dist`, where this code is once built. */
export const packageFolder: string = fileURLToPath(new URL('..', import.meta.url));

/** The version of this package, which all packages of the project share. */
export function ownVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
