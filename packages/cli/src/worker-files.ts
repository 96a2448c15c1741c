import { statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import type * as esbuild from 'esbuild';

/** `new URL('./resize.ts', import.meta.url)`: a file that the program will ask for by its place. */
const FILE_URL = /\bnew\s+URL\(\s*(['"`])(\.{1,2}\/[^'"`$]+)\1\s*,\s*import\.meta\.url\s*,?\s*\)/g;

const CODE = /^\.[cm]?[jt]s$/;

/**
 * The modules that a program loads by `new URL('./file', import.meta.url)`, as worker threads are. In one
 * file with the rest they could not be found, so each becomes a file beside the bundle.
 */
export class WorkerFiles {
  readonly #names = new Map<string, string>();

  /** Source file → name of the file beside the bundle. */
  get names(): ReadonlyMap<string, string> {
    return this.#names;
  }

  /**
   * Makes the URLs in a source lead to the files beside the bundle.
   *
   * @returns Warnings for the files that are not code: nobody puts these beside the bundle.
   */
  rewrite(file: string, source: string): { source: string; warnings: esbuild.PartialMessage[] } {
    const warnings: esbuild.PartialMessage[] = [];
    const rewritten = source.replaceAll(FILE_URL, (whole, _quote, path: string, offset: number) => {
      const named = join(dirname(file), path);
      const target = codeFile(named);
      if (target) return whole.replace(path, `./${this.#nameOf(target)}`);
      if (!isFile(named)) return whole; // in a comment, or made at run time
      warnings.push({
        text: `${path} is not code and does not go into the bundle. Put it where this URL leads from there.`,
        location: { file, line: source.slice(0, offset).split('\n').length },
      });
      return whole;
    });
    return { source: rewritten, warnings };
  }

  #nameOf(target: string): string {
    const known = this.#names.get(target);
    if (known !== undefined) return known;
    const stem = basename(target, extname(target));
    const taken = new Set(this.#names.values());
    let name = `${stem}.mjs`;
    for (let n = 2; taken.has(name); n++) name = `${stem}-${n}.mjs`;
    this.#names.set(target, name);
    return name;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The code behind a path, which may have the name that it will have once compiled. */
function codeFile(path: string): string | undefined {
  if (!CODE.test(extname(path))) return undefined;
  return [path, path.replace(/js$/, 'ts')].find(isFile);
}
