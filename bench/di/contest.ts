// The life of a measured process: checks the library, then does what it is told and answers how long
// it took.
import assert from 'node:assert/strict';
import type { Order } from '../src/di.ts';
import { manyServices, S20, S5, type Contestant, type Service } from './services.ts';

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

/** The right class, complete, the same objects within a scope and others in the next. */
async function check(make: () => unknown, target: Service[0]): Promise<void> {
  const [first, second] = [await make(), await make()];
  assert.ok(first instanceof target && second instanceof target);
  assert.notEqual(first, second);
  // Each of the two classes needs the one before it, which needs the one before that.
  const [s, t, u] =
    target === S5 ? (['s4', 's3', 's2'] as const) : (['s19', 's18', 's17'] as const);
  const at = (from: unknown, name: string): unknown => (from as Record<string, unknown>)[name];
  const below = at(first, s);
  assert.ok(below !== undefined && at(at(below, t), u) !== undefined, 'complete');
  if (target === S20) assert.equal(at(first, t), at(below, t), 'one value in a scope');
  assert.notEqual(below, at(second, s), 'another scope');
}

function elapsedNs(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}
