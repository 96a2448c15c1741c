import {
  createContainer,
  dependency,
  Inject,
  inject,
  Injectable,
  lazy,
  token,
  type Class,
  type Lazy,
  type Lifetime,
  type Plan,
  type Scope,
  type Source,
} from '../src/index.ts';
import { describe, expect, it } from 'vitest';

// A plan, asking a scope, inject(), lazy(): random graphs of everything that a value can be made of must
// give the same in each of these ways, what a few lines that make one thing after another (`Model`) say.

/** What a value can be made by, and whether that has an end. */
const ends = {
  class: false,
  'disposable class': true,
  'async disposable class': true,
  function: false,
  'async function': false,
  generator: true,
  'async generator': true,
};

type Shape = keyof typeof ends;
const shapes = Object.keys(ends) as Shape[];
const synchronous = shapes.filter((shape) => !/^async (function|gen)/.test(shape));

/** A dependency, as graphs are made of them. */
interface Part {
  readonly name: string;
  readonly shape: Shape;
  readonly lifetime: Lifetime;
  readonly needs: readonly Part[];
  /** Whether making it fails. */
  readonly isBroken: boolean;
}

interface GraphOptions {
  readonly shapes?: readonly Shape[];
  readonly lifetimes?: readonly Lifetime[];
  readonly hasBroken?: boolean;
}

const LENGTH = { handler: 1, request: 2, singleton: 3, transient: 4 };

function mayKeep(lifetime: Lifetime, part: Part): boolean {
  if (lifetime === 'transient') return true;
  if (part.lifetime === 'transient') return part.needs.every((need) => mayKeep(lifetime, need));
  return LENGTH[part.lifetime] >= LENGTH[lifetime];
}

/** The same numbers for the same seed (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed * 0x9e3779b9;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** Two to eight parts, each of which needs about half of those before it that it may keep. */
function randomGraph(seed: number, options: GraphOptions): readonly Part[] {
  const below = random(seed);
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const lifetimes = options.lifetimes ?? [
    'request',
    'request',
    'handler',
    'transient',
    'singleton',
  ];
  const size = 2 + below(7);
  const broken = options.hasBroken ? below(size) : undefined;
  const parts: Part[] = [];
  for (let i = 0; i < size; i++) {
    const shape = pick(options.shapes ?? shapes);
    // What ends before the response is a function, never a class.
    const lifetime = pick(lifetimes.filter((l) => l !== 'handler' || !shape.endsWith('class')));
    const needs = parts.filter((part) => mayKeep(lifetime, part) && below(2) === 0);
    parts.push({ name: `p${i}`, shape, lifetime, needs, isBroken: i === broken });
  }
  return parts;
}

/** What a part gives: who it is, and what it was made of. */
interface Made {
  readonly name: string;
  readonly needs: readonly Made[];
}

type Key = Source<Made> & Class<Made>; // typed as both, so that it may be asked for anywhere

/**
 * The parts as users write them. What is made and ended goes to the log.
 *
 * @param how - In which way they ask for what they need.
 */
function declare(parts: readonly Part[], log: string[], how: 'input' | 'inject' = 'input'): Key[] {
  const keys = new Map<Part, Key>();
  for (const part of parts) {
    const needs = part.needs.map((need) => keys.get(need)!);
    const make = (inputs: readonly Made[]): Made => {
      const made = {
        name: part.name,
        needs: how === 'input' ? inputs : needs.map((n) => inject(n)),
      };
      if (part.isBroken) throw new Error(`${part.name} is broken`);
      log.push(`+${part.name}`);
      return made;
    };
    const end = (): void => void log.push(`-${part.name}`);
    const inputs = how === 'input' ? needs : [];
    keys.set(
      part,
      part.shape.endsWith('class')
        ? declareClass(part, inputs, make, end)
        : declareFunction(part, inputs, make, end),
    );
  }
  return [...keys.values()];
}

type Make = (inputs: readonly Made[]) => Made;

function declareClass(part: Part, inputs: readonly Key[], make: Make, end: () => void): Key {
  class Target implements Made {
    readonly name = part.name;
    readonly needs: readonly Made[];
    constructor(...given: Made[]) {
      this.needs = make(given).needs;
    }
  }
  const disposers = {
    'disposable class': { [Symbol.dispose]: end },
    'async disposable class': { [Symbol.asyncDispose]: () => Promise.resolve().then(end) },
  };
  Object.assign(Target.prototype, disposers[part.shape as keyof typeof disposers]);
  Injectable({ scope: part.lifetime as 'request' })(Target); // randomGraph() makes no handler of it
  inputs.forEach((input, i) => Inject(input)(Target, undefined, i as never)); // typed for use with @
  return Target as unknown as Key;
}

function declareFunction(part: Part, inputs: readonly Key[], make: Make, end: () => void): Key {
  const functions = {
    function: (given: object) => make(Object.values(given)),
    'async function': async (given: object) => {
      await Promise.resolve();
      return make(Object.values(given));
    },
    generator: function* (given: object) {
      const made = make(Object.values(given));
      try {
        yield made;
      } finally {
        end();
      }
    },
    'async generator': async function* (given: object) {
      await Promise.resolve();
      const made = make(Object.values(given));
      try {
        yield made;
      } finally {
        await Promise.resolve();
        end();
      }
    },
  };
  const record = Object.fromEntries(inputs.map((key, i) => [`n${i}`, key]));
  const options = { name: part.name, scope: part.lifetime };
  return dependency(record, functions[part.shape as 'function'], options) as unknown as Key;
}

/** What must come of it. Makes one thing after another, what it needs first. */
class Model {
  readonly log: string[] = [];
  readonly #known = new Map<Part, Made>();
  #ends = { handler: [] as string[], request: [] as string[] };

  make(part: Part): Made {
    const known = this.#known.get(part);
    if (known) return known;
    const made = { name: part.name, needs: part.needs.map((need) => this.make(need)) };
    if (part.isBroken) throw new Error(`${part.name} is broken`);
    this.log.push(`+${part.name}`);
    if (ends[part.shape]) {
      this.#ends[part.lifetime === 'handler' ? 'handler' : 'request'].unshift(`-${part.name}`);
    }
    if (part.lifetime !== 'transient') this.#known.set(part, made);
    return made;
  }

  /** Makes what is there before any scope, and is ended after all of them. */
  start(parts: readonly Part[]): void {
    for (const part of parts) if (part.lifetime === 'singleton') this.make(part);
    this.log.length = 0;
    this.#ends = { handler: [], request: [] };
  }

  close(): void {
    this.log.push(...this.#ends.handler, ...this.#ends.request);
  }
}

/** A value and everything below it; the same number stands for the same object. */
function draw(value: Made, numbers = new Map<Made, number>()): unknown {
  if (!numbers.has(value)) numbers.set(value, numbers.size);
  return [numbers.get(value), value.name, value.needs.map((need) => draw(need, numbers))];
}

/** What a value is, or why there is none. */
async function outcomeOf(make: () => Made | Promise<Made>): Promise<unknown> {
  try {
    return draw(await make());
  } catch (error) {
    return (error as Error).message;
  }
}

interface Way {
  readonly graph?: GraphOptions;
  readonly how?: 'inject';
  /** What is planned, if anything is. */
  readonly planned?: (parts: readonly Part[]) => Part;
  /** Gets the last part. */
  readonly get: (scope: Scope, last: Key, plan: Plan) => Made | Promise<Made>;
}

const lastOf = <T>(list: readonly T[]): T => list.at(-1)!;
const middleOf = <T>(list: readonly T[]): T => list[(list.length - 1) >> 1]!;

const ways: Record<string, Way> = {
  'by a plan': {
    planned: lastOf,
    get: async (scope, _, plan) => (await scope.run())[plan.entries[0]!] as Made,
  },
  'by a plan, whose parts call inject()': {
    how: 'inject',
    graph: { shapes: synchronous },
    planned: lastOf,
    get: (scope, _, plan) => (scope.run() as readonly unknown[])[plan.entries[0]!] as Made,
  },
  'by asking a scope': { get: (scope, last) => scope.get(last) },
  'by asking a scope, whose parts call inject()': {
    how: 'inject',
    graph: { shapes: synchronous },
    get: (scope, last) => scope.get(last),
  },
  'by asking a scope after its plan, which made some of it': {
    planned: middleOf,
    get: async (scope, last) => {
      await scope.run();
      return scope.get(last);
    },
  },
  'by lazy()': {
    graph: { shapes: synchronous },
    get: async (scope, last) => (await scope.get(lazy(() => last))).get(),
  },
};

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);

describe.for(Object.entries(ways))('a value that is had %s', ([, way]) => {
  const { how, planned, get } = way;

  /** What came of it and what was made and ended, with this package and with the model. */
  async function both(seed: number, options: GraphOptions): Promise<readonly [unknown, unknown]> {
    const parts = randomGraph(seed, { ...way.graph, ...options });
    const model = new Model();
    model.start(parts);
    const expected = await outcomeOf(() => {
      const made = planned && model.make(planned(parts));
      return made?.name === lastOf(parts).name ? made : model.make(lastOf(parts));
    });
    model.close();

    const log: string[] = [];
    const keys = declare(parts, log, how);
    await using container = createContainer();
    const entries = planned ? [{ key: keys[parts.indexOf(planned(parts))]! }] : [];
    const plan = container.plan(entries, { name: 'the plan' });
    await container.start(...keys);
    log.length = 0;
    const scope = container.openScope(plan);
    const outcome = await outcomeOf(() => get(scope, lastOf(keys), plan));
    await scope.close();
    const ours = { outcome, log: [...log] }; // as it is before the container closes
    return [ours, { outcome: expected, log: model.log }];
  }

  it('is made of the same, in the same order, and ended in reverse', async () => {
    for (const seed of SEEDS) {
      const [ours, model] = await both(seed, {});
      expect(ours, `seed ${seed}`).toEqual(model);
    }
  });

  it('fails with what a part of it threw, and what was begun is ended', async () => {
    const lifetimes = ['request', 'handler', 'transient'] as const; // a broken singleton ends the start
    for (const seed of SEEDS) {
      const [ours, expected] = await both(seed, { lifetimes, hasBroken: true });
      expect(ours, `seed ${seed}`).toEqual(expected);
    }
  });
});

describe('a value that several ask for while it is made', () => {
  it.for(['before', 'after'] as const)(
    'is made once, when they ask %s the plan runs',
    async (when) => {
      const lifetimes = ['request', 'handler'] as const;
      for (const seed of SEEDS) {
        const parts = randomGraph(seed, { lifetimes });
        const log: string[] = [];
        const keys = declare(parts, log);
        await using container = createContainer();
        const plan = container.plan([{ key: lastOf(keys) }], { name: 'the plan' });
        await container.start();
        const scope = container.openScope(plan);
        const ran = when === 'after' && scope.run();
        const asked = keys.map((key) => scope.get(key));
        const slots = await (ran || scope.run());
        const values = await Promise.all(asked);
        await scope.close();
        expect(slots[plan.entries[0]!], `seed ${seed}`).toBe(lastOf(values));
        const model = new Model();
        expect(values.map((value) => draw(value))).toEqual(
          parts.map((part) => draw(model.make(part))),
        );
        model.close();
        expect(log.toSorted(), `seed ${seed}`).toEqual(model.log.toSorted());
      }
    },
  );
});

describe('two that need each other, one of them lazily', () => {
  interface Pair {
    readonly name: string;
    readonly other: Pair | Lazy<Pair>;
  }

  it.for(['planned', 'asked for', 'singletons'] as const)(
    'are made once each when %s',
    async (how) => {
      const made: string[] = [];
      const options = { scope: how === 'singletons' ? 'singleton' : 'request' } as const;
      const pair = (name: string, other: Pair | Lazy<Pair>): Pair => {
        made.push(name);
        return { name, other };
      };
      const Left = token<Pair>('Left');
      const right = dependency({ left: Left }, ({ left }) => pair('right', left), options);
      const left = dependency({ later: lazy(() => Right) }, (v) => pair('left', v.later), options);
      const Right = token<Pair>('Right');
      await using container = createContainer()
        .provide(Left, { make: left })
        .provide(Right, { make: right });
      const plan = container.plan(how === 'planned' ? [{ key: Right }] : [], { name: 'the pair' });
      await container.start(...(how === 'singletons' ? [Right] : []));
      await using scope = container.openScope(plan);
      await scope.run();
      const found = await scope.get(Right);
      const seen = container.enter(scope, () => ((found.other as Pair).other as Lazy<Pair>).get());
      expect(seen).toBe(found);
      expect(made).toEqual(['left', 'right']);
    },
  );
});

describe('a singleton', () => {
  it.for(['started with it', 'asked for it later'] as const)(
    'is made of the same, after what it needs, and ended before it, in a container that is %s',
    async (when) => {
      const lifetimes = ['singleton', 'singleton', 'transient'] as const;
      for (const seed of SEEDS) {
        const parts = randomGraph(seed, { lifetimes });
        const log: string[] = [];
        const keys = declare(parts, log);
        const container = createContainer();
        await container.start(...(when === 'started with it' ? [lastOf(keys)] : []));
        const scope = container.openScope();
        const value = await scope.get(lastOf(keys));
        await scope.close();
        await container.close();
        const model = new Model();
        expect(draw(value), `seed ${seed}`).toEqual(draw(model.make(lastOf(parts))));
        model.close();
        expect(log.toSorted(), `seed ${seed}`).toEqual(model.log.toSorted());
      }
    },
  );

  it('that is broken fails the start with what it threw, and what was begun is ended', async () => {
    for (const seed of SEEDS) {
      const parts = randomGraph(seed, { lifetimes: ['singleton'], hasBroken: true });
      const log: string[] = [];
      const keys = declare(parts, log);
      const broken = parts.find(({ isBroken }) => isBroken)!;
      await expect(createContainer().start(...keys)).rejects.toThrow(`${broken.name} is broken`);
      for (const { name, shape } of parts.filter((part) => ends[part.shape])) {
        const count = (what: string): number => log.filter((line) => line === what).length;
        expect(count(`-${name}`), `seed ${seed}, ${shape}`).toBe(count(`+${name}`));
      }
    }
  });
});
