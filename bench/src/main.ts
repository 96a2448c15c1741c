// `pnpm bench <group>...`: measures, prints, writes results/<group>.json and docs/reference/benchmarks.md.
import { di } from './di.ts';
import { http } from './http.ts';
import { jobs } from './jobs.ts';
import { print, renderDocs, save, type Group } from './report.ts';
import { routes } from './routes.ts';
import { scale } from './scale.ts';
import { start } from './start.ts';
import { tasks } from './tasks.ts';

/** Rounds of a run that counts, and of one that only shows that everything works. */
const ROUNDS = { full: 7, quick: 2 } as const;

const groups: Record<string, Group> = { http, routes, tasks, di, jobs, start, scale };

const names = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('-'));
const unknown = [
  ...names.filter((name) => !Object.hasOwn(groups, name)),
  ...flags.filter((flag) => flag !== '--quick'),
];

if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no ${unknown.join(', ')}.`);
  console.error(
    `Usage: pnpm bench <group>... [--quick]\nGroups: ${Object.keys(groups).join(', ')}`,
  );
  process.exitCode = 1;
} else {
  const isQuick = flags.includes('--quick');
  for (const name of names) {
    const rounds = isQuick ? ROUNDS.quick : ROUNDS.full;
    const result = await groups[name]!({ rounds });
    print(name, result);
    if (isQuick) {
      console.log('\nA quick run: its figures are not kept.');
    } else {
      save(name, result);
      renderDocs(Object.keys(groups));
    }
  }
}
