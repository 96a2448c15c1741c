// The packages as they are published: `pnpm pack` puts versions for `workspace:` and applies
// `publishConfig`. Needs a build, and `pnpm` on the PATH, as scripts of package.json have it.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** What is needed of a package's manifest. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, unknown>>;
}

export interface PackedPackage {
  /** As it is inside of the tarball. */
  readonly manifest: Manifest;
  readonly tarball: string;
  /** As npm writes it: `sha512-…`. */
  readonly integrity: string;
}

/** Packs every package under `packages/` that is not private into tarballs in a folder. */
export function packAll(folder: string): PackedPackage[] {
  return globSync('packages/*/package.json', { cwd: root })
    .toSorted()
    .filter((file) => !(readJson(readFileSync(join(root, file), 'utf8')).private ?? false))
    .map((file) => {
      const output = execFileSync('pnpm', ['pack', '--json', '--pack-destination', folder], {
        cwd: join(root, dirname(file)),
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
        shell: process.platform === 'win32', // pnpm is a script there
      });
      const { filename } = JSON.parse(output.slice(output.indexOf('{'))) as { filename: string };
      const manifest = execFileSync('tar', ['xzOf', filename, 'package/package.json']);
      const hash = createHash('sha512').update(readFileSync(filename)).digest('base64');
      return {
        manifest: readJson(manifest.toString()),
        tarball: filename,
        integrity: `sha512-${hash}`,
      };
    });
}

function readJson(text: string): Manifest {
  return JSON.parse(text) as Manifest;
}
