import { findEntry } from '../entry.ts';
import { CommandError } from '../failure.ts';
import { answer, inspect } from '../inspect.ts';
import { describeFaults } from './faults.ts';

/** Draws what every route and task is made of: how long each part lives, why, and who ends it. */
export async function graph(
  given: string | undefined,
  { of }: { readonly of?: string },
): Promise<void> {
  const { blueprint } = await inspect(findEntry(given));
  const { faults, graph: drawing } = blueprint.plan();
  if (faults.length > 0) {
    throw new CommandError(`The app cannot be planned:\n${describeFaults(faults).join('\n')}`);
  }
  if (drawing === '') return answer('No route or task of this app depends on anything.');
  const trees = drawing.split('\n\n');
  const wanted = of === undefined ? trees : trees.filter((tree) => tree.includes(of));
  if (wanted.length === 0) {
    throw new CommandError(`Nothing of this app has to do with ${of}. See all without --of.`);
  }
  await answer(wanted.join('\n\n'));
}
