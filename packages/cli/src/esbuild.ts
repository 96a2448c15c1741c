import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import * as esbuild from 'esbuild';
import { copyPackagedPages, resolveFrom } from './packaged-pages.ts';
import { CompileError, compile, withInlineMap, type CompileProblem } from './transform.ts';
import { WorkerFiles } from './worker-files.ts';

/** What {@link bundle} wrote. */
export interface BundleReport {
  outfile: string;
  /** Size of the bundle, without its source map. */
  bytes: number;
  /** How many source files went in. */
  files: number;
  /** Files beside the bundle that worker threads run. */
  workers: readonly string[];
  /** What the bundle wants to be done, a sentence each. */
  warnings: readonly string[];
}

/**
 * Bundles a program and everything it imports into one file that `node <outfile>` runs, with a source
 * map beside it. Class names and decorator metadata survive. The files of an app's docs page are put into
 * `docs-page` beside it, those of a console into `console-page`; without these folders all but the pages
 * works.
 *
 * Code that is named by `new URL('./file.ts', import.meta.url)`, as `inThread()` wants it, becomes a
 * bundle of its own beside the first. `piscina`, which starts the threads, stays a package to install.
 *
 * @param options - esbuild's own options, laid over the defaults. Plugins are added to ours.
 * @throws {esbuild.BuildFailure} when a file does not compile or an import cannot be resolved.
 */
export async function bundle(
  entry: string,
  outfile: string,
  options: esbuild.BuildOptions = {},
): Promise<BundleReport> {
  const workerFiles = new WorkerFiles();
  const shared = { ...DEFAULTS, ...options };
  const external = [...(options.external ?? []), 'piscina'];
  const { metafile, warnings } = await esbuild.build({
    ...shared,
    external,
    entryPoints: [entry],
    outfile,
    metafile: true,
    plugins: [compiler(workerFiles), ...(options.plugins ?? [])],
  });
  const inputs = Object.keys(metafile.inputs);
  await copyPackagedPages(outfile, inputs);
  const workers = await bundleWorkers(workerFiles, entry, outfile, { ...shared, external });
  const output = Object.values(metafile.outputs).find((o) => o.entryPoint !== undefined);
  return {
    outfile,
    bytes: output?.bytes ?? 0,
    files: inputs.length,
    workers,
    warnings: [
      ...warnings.map(describeWarning),
      ...(workers.length > 0
        ? [`Threads need the package piscina where the bundle runs: npm install piscina.`]
        : []),
    ],
  };
}

const DEFAULTS: esbuild.BuildOptions = {
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
};

/** Until there are no more: a worker may name others. */
async function bundleWorkers(
  workerFiles: WorkerFiles,
  entry: string,
  outfile: string,
  options: esbuild.BuildOptions,
): Promise<string[]> {
  const written: string[] = [];
  const build = async (file: string, name: string): Promise<void> => {
    const target = join(dirname(outfile), name);
    await esbuild.build({
      ...options,
      entryPoints: [file],
      outfile: target,
      plugins: [threadWorker(entry), compiler(workerFiles), ...(options.plugins ?? [])],
    });
    written.push(target);
  };
  for (const [file, name] of workerFiles.names) await build(file, name); // which may add to the names
  // The pool of @thereafter/tasks looks for its worker beside its own code, which is the bundle now.
  if (written.length > 0) await build(THREAD_WORKER, 'thread-worker.js');
  return written;
}

const THREAD_WORKER = '@thereafter/tasks/thread-worker';

/** Finds the worker from where the framework is, since a program need not know the package. */
function threadWorker(entry: string): esbuild.Plugin {
  return {
    name: 'thereafter-thread-worker',
    setup(build) {
      build.onResolve({ filter: /^@thereafter\/tasks\/thread-worker$/ }, ({ path, kind }) => {
        if (kind !== 'entry-point') return undefined;
        const framework = resolveFrom(resolve(entry), 'thereafter/package.json') ?? resolve(entry);
        return build.resolve(path, { kind: 'import-statement', resolveDir: dirname(framework) });
      });
    },
  };
}

function describeWarning({ text, location }: esbuild.Message): string {
  return location ? `${location.file}:${location.line}: ${text}` : text;
}

/**
 * An esbuild plugin that compiles TypeScript as the loader does. esbuild's own compiler runs
 * decorators but emits none of the `design:*` metadata that injection by type reads.
 */
export function decoratorMetadata(): esbuild.Plugin {
  return compiler(undefined);
}

/** @param workerFiles - Notes the files that are named by their URL; without, they are left alone. */
function compiler(workerFiles: WorkerFiles | undefined): esbuild.Plugin {
  const { resolve: resolveOwn } = createRequire(import.meta.url);
  return {
    name: 'thereafter-decorator-metadata',
    setup(build) {
      // Decorator helpers are this package's dependency, not the user's. They resolve to CommonJS;
      // their ESM twins inline without a wrapper.
      build.onResolve({ filter: /^@oxc-project\/runtime\// }, ({ path }) => ({
        path: resolveOwn(path).replace(/([\\/]helpers[\\/])(?!esm[\\/])/, '$1esm/'),
        sideEffects: false,
      }));

      build.onLoad({ filter: /\.m?ts$/, namespace: 'file' }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        const { source, warnings = [] } = workerFiles?.rewrite(path, text) ?? { source: text };
        try {
          // esbuild lowers what its own target does not know.
          return { contents: withInlineMap(compile(path, source)), loader: 'js', warnings };
        } catch (error) {
          if (!(error instanceof CompileError)) throw error;
          return { errors: error.problems.map((problem) => toMessage(path, problem)) };
        }
      });

      if (!workerFiles) return;
      build.onLoad({ filter: /\.m?js$/, namespace: 'file' }, async ({ path }) => {
        if (/[\\/]node_modules[\\/]/.test(path)) return undefined;
        const { source, warnings } = workerFiles.rewrite(path, await readFile(path, 'utf8'));
        return { contents: source, loader: 'js', warnings };
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
