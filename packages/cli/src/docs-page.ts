import { existsSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';

const FILES = [
  'swagger-ui-bundle.js',
  'swagger-ui-bundle.js.LICENSE.txt',
  'swagger-ui.css',
  'LICENSE',
  'NOTICE',
];

/**
 * The docs page of an app is not code, so a bundler leaves it behind. Copies it into `docs-page` beside
 * the bundle, where the app looks for it. Does nothing for a program without an app.
 *
 * @param inputs - The files of the bundle, as esbuild names them.
 */
export async function copyDocsPage(
  entry: string,
  outfile: string,
  inputs: readonly string[],
): Promise<void> {
  const source = findDocsPage(entry, inputs);
  if (source === undefined) return;
  const target = join(dirname(resolve(outfile)), 'docs-page');
  await mkdir(target, { recursive: true });
  await Promise.all(FILES.map((file) => cp(join(source, file), join(target, file))));
}

function findDocsPage(entry: string, inputs: readonly string[]): string | undefined {
  const manifest = resolveFrom(resolve(entry), 'thereafter/package.json');
  if (manifest === undefined) return undefined;
  const home = dirname(manifest);
  if (!inputs.some((input) => resolve(input).startsWith(home + sep))) return undefined;
  const built = join(home, 'dist', 'openapi', 'docs-page');
  if (existsSync(built)) return built;
  // In the repository, before the package is built.
  const library = resolveFrom(manifest, 'swagger-ui-dist/package.json');
  return library && dirname(library);
}

/** What a specifier means in a file; nothing when it cannot be resolved there. */
export function resolveFrom(file: string, specifier: string): string | undefined {
  try {
    return createRequire(file).resolve(specifier);
  } catch {
    return undefined;
  }
}
