import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import * as esbuild from 'esbuild';
import { copyDocsPage } from './docs-page.ts';
import { CompileError, compile, withInlineMap, type CompileProblem } from './transform.ts';

/** What {@link bundle} wrote. */
export interface BundleReport {
  outfile: string;
  /** Size of the bundle, without its source map. */
  bytes: number;
  /** How many source files went in. */
  files: number;
}

/**
 * Bundles a program and everything it imports into one file that `node <outfile>` runs, with a source
 * map beside it. Class names and decorator metadata survive. The files of an app's docs page are put into
 * `docs-page` beside it; without that folder all but the page works.
 *
 * @param options - esbuild's own options, laid over the defaults. Plugins are added to ours.
 * @throws {esbuild.BuildFailure} when a file does not compile or an import cannot be resolved.
 */
export async function bundle(
  entry: string,
  outfile: string,
  options: esbuild.BuildOptions = {},
): Promise<BundleReport> {
  const { metafile } = await esbuild.build({
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    // Otherwise a class that meets its own name again becomes `Mailer2` in messages.
    keepNames: true,
    sourcemap: true,
    // CommonJS inside the bundle may call require() for Node's own modules.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    ...options,
    entryPoints: [entry],
    outfile,
    metafile: true,
    plugins: [decoratorMetadata(), ...(options.plugins ?? [])],
  });
  const inputs = Object.keys(metafile.inputs);
  await copyDocsPage(entry, outfile, inputs);
  const output = Object.values(metafile.outputs).find((o) => o.entryPoint !== undefined);
  return { outfile, bytes: output?.bytes ?? 0, files: inputs.length };
}

/**
 * An esbuild plugin that compiles TypeScript as the loader does. esbuild's own compiler runs
 * decorators but emits none of the `design:*` metadata that injection by type reads.
 */
export function decoratorMetadata(): esbuild.Plugin {
  const { resolve } = createRequire(import.meta.url);
  return {
    name: 'thereafter-decorator-metadata',
    setup(build) {
      // Decorator helpers are this package's dependency, not the user's. They resolve to CommonJS;
      // their ESM twins inline without a wrapper.
      build.onResolve({ filter: /^@oxc-project\/runtime\// }, ({ path }) => ({
        path: resolve(path).replace(/([\\/]helpers[\\/])(?!esm[\\/])/, '$1esm/'),
        sideEffects: false,
      }));

      build.onLoad({ filter: /\.m?ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        try {
          // esbuild lowers what its own target does not know.
          return { contents: withInlineMap(compile(path, source)), loader: 'js' };
        } catch (error) {
          if (!(error instanceof CompileError)) throw error;
          return { errors: error.problems.map((problem) => toMessage(path, problem)) };
        }
      });
    },
  };
}

function toMessage(file: string, problem: CompileProblem): esbuild.PartialMessage {
  const { message, line, column, lineText } = problem;
  // esbuild counts columns in UTF-8 bytes from 0.
  const bytesBefore = Buffer.byteLength(lineText.slice(0, column - 1));
  return { text: message, location: { file, line, column: bytesBefore, lineText } };
}
