import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** A page whose files a package serves with `packagedFile()`. */
interface PackagedPage {
  readonly package: string;
  /** The module that serves it, in the source and built. */
  readonly module: RegExp;
  /** The folder of its files, beside the built module and beside a bundle. */
  readonly folder: string;
  /** Where its files are as long as the module is source. */
  readonly source: (module: string) => string | undefined;
  /** Which of the files there belong to it; default all. */
  readonly files?: readonly string[];
}

const PAGES: readonly PackagedPage[] = [
  {
    package: 'thereafter',
    module: /^(.+)[\\/](?:src|dist)[\\/]openapi[\\/]docs-page\.[jt]s$/,
    folder: 'docs-page',
    source: (module) => {
      const manifest = resolveFrom(module, 'swagger-ui-dist/package.json');
      return manifest && dirname(manifest);
    },
    files: [
      'swagger-ui-bundle.js',
      'swagger-ui-bundle.js.LICENSE.txt',
      'swagger-ui.css',
      'LICENSE',
      'NOTICE',
    ],
  },
  {
    package: '@thereafter/console',
    module: /^(.+)[\\/](?:src|dist)[\\/]page\.[jt]s$/,
    folder: 'console-page',
    source: (module) => join(dirname(module), 'page'),
  },
];

/**
 * The files of a page are not code, so a bundler leaves them behind. Copies those of the pages that a
 * program serves into folders beside its bundle, where the program looks for them. Programs that are
 * bundled into one folder at the same time do not disturb each other, nor one that runs there.
 *
 * @param inputs - The files of the bundle, as esbuild names them.
 */
export async function copyPackagedPages(outfile: string, inputs: readonly string[]): Promise<void> {
  for (const page of PAGES) {
    const source = findFiles(page, inputs);
    if (source === undefined) continue;
    await copyWhole(source, join(dirname(resolve(outfile)), page.folder), page.files);
  }
}

function findFiles(page: PackagedPage, inputs: readonly string[]): string | undefined {
  for (const input of inputs) {
    const module = resolve(input);
    const home = page.module.exec(module)?.[1];
    if (home === undefined || nameOf(home) !== page.package) continue;
    return module.endsWith('.ts') ? page.source(module) : join(dirname(module), page.folder);
  }
  return undefined;
}

/** The name of the package in a folder; `undefined` when there is none. */
function nameOf(folder: string): unknown {
  try {
    return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown })
      .name;
  } catch {
    return undefined;
  }
}

/** Each file comes under its name when it is whole. */
async function copyWhole(
  source: string,
  target: string,
  files: readonly string[] | undefined,
): Promise<void> {
  await mkdir(target, { recursive: true });
  const copy = async (file: string): Promise<void> => {
    const unfinished = join(target, `.${file}.${randomUUID()}`);
    await copyFile(join(source, file), unfinished);
    await rename(unfinished, join(target, file));
  };
  await Promise.all((files ?? (await readdir(source))).map(copy));
}

/** What a specifier means in a file; `undefined` when it cannot be resolved there. */
export function resolveFrom(file: string, specifier: string): string | undefined {
  try {
    return createRequire(file).resolve(specifier);
  } catch {
    return undefined;
  }
}
