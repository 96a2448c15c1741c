import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Who imports whom, as far as it was seen. */
export class ImportGraph {
  readonly #imports = new Map<string, Set<string>>();

  add(importer: string, imported: string): void {
    const known = this.#imports.get(importer);
    if (known) known.add(imported);
    else this.#imports.set(importer, new Set([imported]));
  }

  /** The shortest way from a file back to itself, with the file at both ends. */
  cycleThrough(start: string): string[] | undefined {
    const seen = new Set<string>();
    const queue: string[][] = [[start]];
    for (let path; (path = queue.shift());) {
      for (const next of this.#imports.get(path.at(-1)!) ?? []) {
        if (next === start) return [...path, start];
        if (seen.has(next)) continue;
        seen.add(next);
        queue.push([...path, next]);
      }
    }
    return undefined;
  }
}

/** Who imports whom in this process. The loader writes it down. */
export const imports: ImportGraph = new ImportGraph();

/**
 * What to add to the message of an error that a circular import causes: a decorator refers to a class
 * whose file is not there yet. Nothing for every other error.
 */
export function explainCycle(error: unknown, graph: ImportGraph): string | undefined {
  if (!(error instanceof ReferenceError)) return undefined;
  const name = /^Cannot access '(.+)' before initialization$/.exec(error.message)?.[1];
  const place = /\((file:.+?|\/.+?|[A-Z]:\\.+?):\d+:\d+\)/.exec(error.stack ?? '')?.[1];
  if (name === undefined || place === undefined) return undefined;
  const cycle = graph.cycleThrough(place);
  if (!cycle) return undefined;
  const files = cycle.map((file) => relative(process.cwd(), file)).join(' → ');
  return (
    `[TA105] ${name} is not defined yet, because files import each other: ${files}. Move what both need to ` +
    `a file of its own, or inject it with @Inject(lazy(() => ${name})) and \`import type\` for the parameter.`
  );
}

/** The path behind a module's address; `undefined` for what is no file. */
export function fileOf(url: string): string | undefined {
  return url.startsWith('file:') ? fileURLToPath(url.replace(/[?#].*$/, '')) : undefined;
}
