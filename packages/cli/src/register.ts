/**
 * Runs decorated TypeScript without a build:
 * `node --import @thereafter/cli/register src/main.ts`.
 *
 * Importing this module makes Node compile every `.ts` and `.mts` file outside `node_modules` as it
 * is loaded, keeping the decorator metadata that injection by type reads. Worker threads and forked
 * processes inherit it. Stack traces point at the TypeScript source.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { explainCycle, fileOf, imports } from './import-cycle.ts';
import { lowerUsing } from './lower-using.ts';
import { compile, withInlineMap } from './transform.ts';

process.setSourceMapsEnabled(true);

/** Node 22 does not. */
const knowsUsing = Number.parseInt(process.versions.node) >= 24;

registerHooks({
  resolve(specifier, context, nextResolve) {
    // Decorator helpers are this package's dependency, not the user's.
    if (specifier.startsWith('@oxc-project/runtime/')) {
      return nextResolve(specifier, { ...context, parentURL: import.meta.url });
    }
    const resolved = resolve(specifier, context.parentURL, (name) => nextResolve(name, context));
    noteImport(context.parentURL, resolved.url);
    return resolved;
  },

  load(url, context, nextLoad) {
    if (!isOwnSource(url)) return nextLoad(url, context);
    const filename = fileURLToPath(withoutQuery(url));
    const compiled = withInlineMap(compile(filename, readFileSync(filename, 'utf8')));
    const source = knowsUsing ? compiled : lowerUsing(compiled);
    return { format: 'module', source, shortCircuit: true };
  },
});

/** Resolves a name, or that of the TypeScript source behind it. */
function resolve<T>(specifier: string, importer: string | undefined, next: (name: string) => T): T {
  try {
    return next(specifier);
  } catch (error) {
    const source = sourceBehind(specifier, importer);
    if (source === undefined) throw error;
    try {
      return next(source);
    } catch {
      throw error; // it names the file that the user wrote
    }
  }
}

function noteImport(importer: string | undefined, imported: string): void {
  if (importer === undefined || !isOwnSource(importer) || !isOwnSource(imported)) return;
  imports.add(fileOf(importer)!, fileOf(imported)!);
}

// Says what Node's own message does not: which files import each other.
process.on('uncaughtExceptionMonitor', (error) => {
  const explanation = explainCycle(error, imports);
  if (explanation !== undefined) console.error(explanation);
});

/**
 * `./users.ts` for `./users.js`: TypeScript lets a file import another by the name it will have once
 * compiled, and many projects do.
 */
function sourceBehind(specifier: string, importer: string | undefined): string | undefined {
  if (importer === undefined || !isTypeScript(importer)) return undefined;
  const match = /^(\.{0,2}\/.*\.m?)js$/.exec(specifier);
  return match ? `${match[1]}ts` : undefined;
}

function isOwnSource(url: string): boolean {
  return isTypeScript(url) && !url.includes('/node_modules/');
}

function isTypeScript(url: string): boolean {
  return /^file:.*\.m?ts$/.test(withoutQuery(url));
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
