/*
 * Two copies of this package in one process (two versions in node_modules, a bundle beside its source)
 * do not share what is current, so `inject()` of one does not see what the other builds. The copies
 * meet in the global registry, so that this can be told instead of guessed.
 */

const COPIES = Symbol.for('thereafter.di.copies');
const registry = globalThis as { [COPIES]?: Set<string> };

/** Where this copy lies. A copy that is evaluated again, as test runners do, is the same one. */
export const THIS_COPY: string = import.meta.url.replace(/[?#].*$/, '');

const copies = (registry[COPIES] ??= new Set());
copies.add(THIS_COPY);

/** Another copy of this package that the process has loaded. */
export function otherCopy(): string | undefined {
  return [...copies].find((copy) => copy !== THIS_COPY);
}

/** What to say, and to do, when two copies have met. */
export function describeCopies(other: string): {
  readonly problem: string;
  readonly remedy: string;
} {
  return {
    problem: `@thereafter/di is loaded twice, from ${toPath(THIS_COPY)} and from ${toPath(other)}`,
    remedy:
      'Make both resolve to one: the same version everywhere, one node_modules, and not a build beside its source.',
  };
}

function toPath(url: string): string {
  return decodeURIComponent(url.replace(/^file:\/\//, ''));
}
