import {
  createContainer,
  dependency,
  Injectable,
  type Class,
  type ExternalSource,
  type Plan,
  type Source,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

type Carrier = Readonly<Record<string, unknown>>;

/** A part of what a scope is opened with. */
function part(name: string): ExternalSource & Source<unknown> {
  const reader = () => (carrier: Carrier) => carrier[name];
  return { kind: 'external', name, carriedBy: 'any', reader } as never; // the symbol of Source exists in types only
}

async function planOf(...keys: (ExternalSource | Class | Source<unknown>)[]): Promise<Plan> {
  await using container = createContainer();
  const needs = keys.map((key) => ({ key: key as Class })); // any of them is a key
  const plan = container.plan(needs, { name: 'the plan' });
  await container.start();
  return plan;
}

@Injectable()
class Clock {}

@Injectable({ scope: 'request' })
class Session {}

const [a, b] = [part('a'), part('b')];

describe('a plan', () => {
  it('needs no scope when every value is a singleton or read from the carrier', async () => {
    expect((await planOf(Clock, a)).needsNoScope).toBe(true);
    expect((await planOf(Session)).needsNoScope).toBe(false);
    expect((await planOf(dependency({}, () => 1))).needsNoScope).toBe(false);
  });

  it('is not run without a scope when something has to be made', async () => {
    const plan = await planOf(Session);
    expect(() => plan.run({}, () => 1)).toThrow('the plan needs a scope');
  });

  it('knows what it reads, in the order of reading', async () => {
    const page = dependency({ b, clock: Clock }, () => 1);
    expect((await planOf(page, a, b)).sources).toEqual([b, a]);
  });
});

describe('a plan that needs no scope', () => {
  const list = (slots: readonly unknown[], carrier: Carrier): unknown => [
    ...slots,
    carrier['name'],
  ];

  it('is run at once when there is nothing to wait for', async () => {
    const plan = await planOf(a, b);
    expect(plan.run({ name: 'here', a: 1, b: 2 }, list)).toEqual([1, 2, 'here']);
  });

  it('waits for what has to be awaited', async () => {
    const plan = await planOf(a, b);
    const run = plan.run({ name: 'here', a: Promise.resolve(1), b: Promise.resolve(2) }, list);
    expect(run).toBeInstanceOf(Promise);
    expect(await run).toEqual([1, 2, 'here']);
  });

  it.for([
    [
      'throws',
      () => {
        throw new Error('no a');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no a'))],
  ] as const)('reads no further when a reader %s', async ([, read]) => {
    const plan = await planOf(a, b);
    const seen: string[] = [];
    const carrier = {
      get a() {
        return read();
      },
      get b() {
        return seen.push('b');
      },
    };
    const run = async (): Promise<unknown> => plan.run(carrier, () => seen.push('finished'));
    await expect(run()).rejects.toThrow('no a');
    expect(seen).toEqual([]);
  });
});
