import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import type { Resolver } from './inject.ts';
import {
  disposal,
  generatorEnd,
  isGenerator,
  type AnyGenerator,
  type Teardown,
} from './teardown.ts';
import type { Class, Key } from './token.ts';

/** Marks a slot that has no value yet; `undefined` is a value. */
export const EMPTY: unique symbol = Symbol('empty');

/** Keeps what has been made until it is ended: a container its singletons, a scope what lives in it. */
export interface Keeper extends Resolver {
  /** What external sources are read from. */
  readonly carrier: unknown;
  /** What is being made at this moment, outermost first. */
  readonly making: Set<Node>;
  /** The value of a node, or a promise of it; made if it is not there. */
  valueOf(node: Node): unknown;
  /** A value that is there, or a promise of it; `EMPTY` when there is none. */
  kept(node: Node): unknown;
  /** Keeps a value, or the promise that stands for it until it is settled. */
  keep(node: Node, value: unknown): void;
  /** Takes note of how to end what was made. */
  note(node: Node, teardown: Teardown): void;
  /** What `lazy()` gives. */
  lazily(of: () => Key): unknown;
}

type Give = (slots: readonly unknown[], keeper: Keeper, carrier: unknown, node: Node) => unknown;

/** How one value is had. Steps stand in the order in which they must be taken. */
export interface Step {
  readonly node: Node;
  /** Where the value is put. */
  readonly slot: number;
  /** Makes the value of those in the slots, or fetches one that is there. */
  readonly give: Give;
  /** Whether nothing is made: the carrier is read, or the keeper is asked. */
  readonly onlyReads: boolean;
  /** Whether what is made needs no second look: not awaited, not ended. True for most classes. */
  readonly isPlain: boolean;
}

/** @param needs - The slots of what the node needs, in the order of its edges. */
export function stepOf(node: Node, needs: readonly number[], slot: number): Step {
  const { provider } = node;
  switch (provider.kind) {
    case 'class': {
      const { isDisposable } = provider;
      const make = classMaker(provider.class, needs);
      const give = isDisposable ? notingEnd(node, make) : make;
      return { node, slot, give, onlyReads: false, isPlain: !isDisposable };
    }
    case 'function': {
      const give = functionMaker(provider.make, node, needs);
      return { node, slot, give, onlyReads: false, isPlain: false };
    }
    case 'external': {
      const read = provider.source.reader() as (carrier: unknown) => unknown; // `never` only for variance
      return readingStep(node, slot, (_slots, _keeper, carrier) => read(carrier));
    }
    case 'lazy':
      return readingStep(node, slot, (_slots, keeper) => keeper.lazily(provider.of));
    case 'value':
      return readingStep(node, slot, () => provider.value);
  }
}

function readingStep(node: Node, slot: number, give: Give): Step {
  return { node, slot, give, onlyReads: true, isPlain: false };
}

const recipes = new WeakMap<Node, readonly Step[]>();

/**
 * The steps to a value that no plan has foreseen: its keeper is asked for what it needs, then it is
 * made. The last slot is its own.
 */
export function recipeOf(node: Node): readonly Step[] {
  let recipe = recipes.get(node);
  if (!recipe) {
    const asking = node.edges.map((edge, slot) => readingStep(edge.node, slot, ask));
    recipe = [...asking, stepOf(node, [...asking.keys()], asking.length)];
    if (node.lifetime !== 'singleton') recipes.set(node, recipe); // which is made once
  }
  return recipe;
}

const ask: Give = (_slots, keeper, _carrier, node) => keeper.valueOf(node);

/**
 * A case for each small number of parameters, because spreading an array costs more than building most
 * services.
 */
function classMaker(
  target: Class,
  needs: readonly number[],
): (slots: readonly unknown[]) => object {
  const Target = target as unknown as new (...args: unknown[]) => object; // decorated, so concrete
  const [a = 0, b = 0, c = 0, d = 0] = needs;
  switch (needs.length) {
    case 0:
      return () => new Target();
    case 1:
      return (slots) => new Target(slots[a]);
    case 2:
      return (slots) => new Target(slots[a], slots[b]);
    case 3:
      return (slots) => new Target(slots[a], slots[b], slots[c]);
    case 4:
      return (slots) => new Target(slots[a], slots[b], slots[c], slots[d]);
    default:
      return (slots) => new Target(...needs.map((slot) => slots[slot]));
  }
}

function notingEnd(node: Node, make: (slots: readonly unknown[]) => object): Give {
  return (slots, keeper) => {
    const made = make(slots);
    keeper.note(node, disposal(made));
    return made;
  };
}

/** What a generator yields first is its value, and how to end it is noted. */
function functionMaker(
  make: (values: never) => unknown,
  node: Node,
  needs: readonly number[],
): Give {
  const labels = node.edges.map(({ need }) => need.label!); // the keys of the record of inputs
  const call = make as (values: Record<string, unknown>) => unknown; // `never` only for variance
  return (slots, keeper) => {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < labels.length; i++) values[labels[i]!] = slots[needs[i]!];
    const made = call(values);
    return isGenerator(made) ? begin(made, node, keeper) : made;
  };
}

function begin(generator: AnyGenerator, node: Node, keeper: Keeper): unknown {
  const first = generator.next();
  const yielded = ({ done, value }: IteratorResult<unknown>): unknown => {
    if (done) {
      throw new ResolutionError(
        'TA127',
        `The generator dependency ${node.name} ended without a yield. Its value is what it yields.`,
      );
    }
    keeper.note(node, generatorEnd(generator, node.name));
    return value;
  };
  return first instanceof Promise ? first.then(yielded) : yielded(first);
}
