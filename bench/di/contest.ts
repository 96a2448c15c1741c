// The life of a measured process: checks the library, then does what it is told and answers how long
// it took.
import assert from 'node:assert/strict';
import { manyServices, S20, S5, type Contestant } from './services.ts';

/** What the harness sends. */
export type Order =
  | { readonly what: 'five' | 'twenty'; readonly times: number }
  | { readonly what: 'start'; readonly times: 1 };

const START_CLASSES = 500;

/** Answers orders with nanoseconds of CPU time for one of what was ordered. */
export function contest(contestant: Contestant): void {
  process.on('message', (order: Order) => {
    void perform(contestant, order).then((ns) => process.send?.(ns));
  });
  process.once('disconnect', () => process.exit());
  process.send?.('ready');
}

async function perform(contestant: Contestant, { what, times }: Order): Promise<number> {
  if (what === 'start') {
    const services = manyServices(START_CLASSES);
    const before = process.cpuUsage();
    await contestant.startMany(services);
    return elapsedNs(before);
  }
  const make = contestant[what];
  await check(make, what === 'five' ? S5 : S20);
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) {
    const made = make();
    if (made instanceof Promise) await made;
  }
  return elapsedNs(before) / times;
}

/** The right class, complete, the same one within a scope and another one in the next. */
async function check(make: () => unknown, target: new (...args: never[]) => object): Promise<void> {
  const [first, second] = [await make(), await make()] as [Record<string, never>, unknown];
  assert.ok(first instanceof target && second instanceof target);
  assert.notEqual(first, second);
  const [, s4] = Object.values(first) as [object, Record<string, object>];
  assert.ok(s4);
  const [direct, through] = [Object.values(first)[0]!, Object.values(s4).at(-1)!];
  assert.equal(direct, through, 'one value in a scope');
}

function elapsedNs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}
