import type { Node } from './graph.ts';
import type { Resolver } from './inject.ts';
import { disposal, generatorEnd, isGenerator, type Teardown } from './teardown.ts';
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

type Read = (carrier: unknown, keeper: Keeper | undefined) => unknown;
type Make = (slots: readonly unknown[], keeper: Keeper) => unknown;

/**
 * Gives one value: reads one that is there without the container, or makes it of those in the slots.
 * Steps stand in the order in which they must be taken.
 */
export type Step = {
  readonly node: Node;
  /** Where the value is put. */
  readonly slot: number;
} & (
  | { readonly read: Read; readonly make: undefined; readonly isPlain: false }
  | {
      readonly read: undefined;
      readonly make: Make;
      /** Whether what is made needs no second look: not awaited, not ended. True for most classes. */
      readonly isPlain: boolean;
    }
);

/** @param inputs - The slots of what the node needs, in the order of its edges. */
export function stepOf(node: Node, inputs: readonly number[], slot: number): Step {
  const { provider } = node;
  switch (provider.kind) {
    case 'class': {
      const make = classMaker(provider.class, inputs);
      if (!provider.isDisposable) return { node, slot, read: undefined, make, isPlain: true };
      return makingStep(node, slot, (slots, keeper) => {
        const made = make(slots);
        keeper.note(node, disposal(made));
        return made;
      });
    }
    case 'function':
      return makingStep(node, slot, functionMaker(provider.make, node, inputs));
    case 'external':
      return readingStep(node, slot, provider.source.reader() as (carrier: unknown) => unknown);
    case 'lazy':
      return readingStep(node, slot, (_, keeper) => keeper!.lazily(provider.of));
    case 'value':
      return readingStep(node, slot, () => provider.value);
  }
}

const recipes = new WeakMap<Node, readonly Step[]>();

/**
 * The steps to a value that no plan has foreseen: its keeper is asked for what it needs, then it is
 * made. The last slot is its own.
 */
export function recipeOf(node: Node): readonly Step[] {
  let recipe = recipes.get(node);
  if (!recipe) {
    const inputs = node.edges.map(({ node: input }, slot) =>
      readingStep(input, slot, (_, keeper) => keeper!.valueOf(input)),
    );
    recipe = [...inputs, stepOf(node, [...inputs.keys()], inputs.length)];
    recipes.set(node, recipe);
  }
  return recipe;
}

function readingStep(node: Node, slot: number, read: Read): Step {
  return { node, slot, read, make: undefined, isPlain: false };
}

function makingStep(node: Node, slot: number, make: Make): Step {
  return { node, slot, read: undefined, make, isPlain: false };
}

/**
 * A case for each small number of parameters, because spreading an array costs more than building most
 * services.
 */
function classMaker(
  target: Class,
  inputs: readonly number[],
): (slots: readonly unknown[]) => object {
  const Target = target as unknown as new (...args: unknown[]) => object; // decorated, so concrete
  const [a = 0, b = 0, c = 0, d = 0] = inputs;
  switch (inputs.length) {
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
      return (slots) => new Target(...inputs.map((slot) => slots[slot]));
  }
}

function functionMaker(
  make: (values: never) => unknown,
  node: Node,
  inputs: readonly number[],
): Make {
  const labels = node.edges.map(({ need }) => need.label!); // the keys of the record of inputs
  const call = make as (values: Record<string, unknown>) => unknown; // `never` only for variance
  return (slots, keeper) => {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < labels.length; i++) values[labels[i]!] = slots[inputs[i]!];
    return begin(node, call(values), keeper);
  };
}

/**
 * Passes on what a function gave. A generator is run up to its `yield`, whose value is passed on, and how
 * to end it is noted.
 */
function begin(node: Node, made: unknown, keeper: Keeper): unknown {
  if (!isGenerator(made)) return made;
  const yielded = (result: IteratorResult<unknown>): unknown => {
    if (result.done) {
      throw new TypeError(`The generator dependency ${node.name} ended without a yield.`);
    }
    keeper.note(node, generatorEnd(made, node.name));
    return result.value;
  };
  const first = made.next();
  return first instanceof Promise ? first.then(yielded) : yielded(first);
}
