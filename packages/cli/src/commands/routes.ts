import type { AppBlueprint } from 'thereafter';
import { findEntry } from '../entry.ts';
import { answer, inspect } from '../inspect.ts';

/** Lists what the app answers, and by what, in the order of paths. */
export async function routes(
  given: string | undefined,
  { json }: { readonly json?: true },
): Promise<void> {
  const { blueprint } = await inspect(findEntry(given));
  await answer(json ? JSON.stringify(toSorted(blueprint), null, 2) : toTable(blueprint));
}

function toSorted({ routes: all }: AppBlueprint): AppBlueprint['routes'] {
  return all.toSorted((a, b) => compare(a.path, b.path) || compare(a.method, b.method));
}

function toTable(blueprint: AppBlueprint): string {
  const rows = toSorted(blueprint).map(({ method, path, handler }) => [method, path, handler]);
  const [methodWidth = 0, pathWidth = 0] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length), 0),
  );
  const lines = rows.map(
    ([method = '', path = '', handler = '']) =>
      `${method.padEnd(methodWidth)}  ${path.padEnd(pathWidth)}  ${handler}`,
  );
  const tasks = blueprint.tasks.map((name) => `task  ${name}`);
  return [...lines, ...tasks].join('\n') || 'This app answers nothing: it has no route.';
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
