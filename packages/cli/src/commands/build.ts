import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type * as esbuild from 'esbuild';
import { findEntry } from '../entry.ts';
import { bundle } from '../esbuild.ts';
import { CommandError } from '../failure.ts';

export interface BuildFlags {
  readonly out?: string;
  readonly minify?: true;
  readonly external: readonly string[];
}

/** Bundles a program into one file that starts its app: `node dist/app.mjs`. */
export async function build(given: string | undefined, flags: BuildFlags): Promise<void> {
  const entry = findEntry(given);
  const outfile = flags.out ?? `dist/${basename(entry, extname(entry))}.mjs`;
  const startedAtMs = performance.now();
  const report = await bundle(entry, outfile, {
    minify: flags.minify ?? false,
    external: [...flags.external],
    // What Node resolves by, esbuild shall resolve by.
    conditions: process.execArgv.flatMap((flag) => /^--conditions=(.+)/.exec(flag)?.[1] ?? []),
    plugins: [startingApp(entry)],
    logLevel: 'silent', // said below
  }).catch(refuse);
  const { bytes, files, workers, warnings } = report;
  const elapsedMs = Math.round(performance.now() - startedAtMs);
  const size = `${Math.round(bytes / 1024)} kB from ${files} files in ${elapsedMs} ms`;
  console.log(`${relative('', outfile)}  ${size}`);
  for (const worker of workers) console.log(`${relative('', worker)}  for worker threads`);
  for (const warning of warnings) console.warn(`thereafter: ${warning}`);
}

/** @throws {CommandError} With the places that do not compile, or cannot be resolved. */
async function refuse(error: unknown): Promise<never> {
  const { errors } = error as Partial<esbuild.BuildFailure>;
  if (!errors) throw error;
  const { formatMessages } = await import('esbuild');
  const messages = await formatMessages(errors, { kind: 'error', color: process.stderr.isTTY });
  throw new CommandError(`The program cannot be bundled:\n\n${messages.join('\n').trim()}`);
}

/** Puts a program around the one that is built: it starts the app, if that one only exports it. */
function startingApp(entry: string): esbuild.Plugin {
  const starter = fileURLToPath(import.meta.resolve('#start-app'));
  return {
    name: 'thereafter-starting-app',
    setup(build_) {
      build_.onResolve({ filter: /.*/ }, ({ kind, path }) =>
        kind === 'entry-point' && path === entry
          ? { path, namespace: 'thereafter-start' }
          : undefined,
      );
      build_.onLoad({ filter: /.*/, namespace: 'thereafter-start' }, ({ path }) => ({
        resolveDir: process.cwd(),
        contents: `
          import { startApp } from ${JSON.stringify(starter)};
          import * as program from ${JSON.stringify(path)};
          await startApp(program);
        `,
      }));
    },
  };
}
