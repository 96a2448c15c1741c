import type { Node } from './graph.ts';
import type { Class, ScopeKind } from './token.ts';

/** Marks a slot that has no value yet; `undefined` is a value. */
export const EMPTY: unique symbol = Symbol('empty');

/** Makes one value of a scope. Steps stand in the order in which they must run. */
export interface Step {
  readonly node: Node;
  readonly slot: number;
  /** Reads from what the scope was opened with; absent for steps that make something. */
  readonly read: ((carrier: unknown) => unknown) | undefined;
  readonly make: (slots: readonly unknown[]) => unknown;
}

/**
 * What must be done, in a scope, to have the values of some entry points: a list of steps over an
 * array of slots. Singletons stand in the array from the start; a request copies it and runs the steps.
 */
export class Plan {
  readonly steps: readonly Step[];
  /** The slots of the entry points, in their order. */
  readonly entries: readonly number[];
  readonly #steps: Step[] = [];
  readonly #slotOf = new Map<Node, number>();
  readonly #template: unknown[] = [];

  /**
   * @param name - Of what is planned, for error messages, e.g. `UsersController.create`.
   * @param kind - Of the scopes that will run it.
   */
  constructor(
    readonly name: string,
    readonly kind: ScopeKind,
    entries: readonly Node[],
  ) {
    this.entries = entries.map((node) => this.#slotFor(node));
    this.steps = this.#steps;
  }

  /** Puts the singletons into their places; once, when they have been built. */
  bind(valueOf: (singleton: Node) => unknown): void {
    for (const [node, slot] of this.#slotOf) {
      if (node.lifetime === 'singleton') this.#template[slot] = valueOf(node);
    }
  }

  /** True when nothing has to be made: values are constants or read from the carrier. */
  get needsNoScope(): boolean {
    return this.steps.every((step) => step.read !== undefined);
  }

  /** The array that the steps fill: singletons in their places, the rest empty. */
  newSlots(): unknown[] {
    return this.#template.slice();
  }

  slotOf(node: Node): number | undefined {
    return this.#slotOf.get(node);
  }

  #slotFor(node: Node): number {
    const known = this.#slotOf.get(node);
    if (known !== undefined) return known;
    if (node.lifetime === 'singleton') return this.#newSlot(node);
    const inputs = node.edges.map((edge) => this.#slotFor(edge.node));
    const slot = this.#newSlot(node);
    const read =
      node.provider.kind === 'external'
        ? (node.provider.source.reader() as (carrier: unknown) => unknown)
        : undefined;
    this.#steps.push({ node, slot, read, make: makerOf(node, inputs) });
    return slot;
  }

  #newSlot(node: Node): number {
    const slot = this.#template.push(EMPTY) - 1;
    if (node.lifetime !== 'transient') this.#slotOf.set(node, slot);
    return slot;
  }
}

/**
 * Compiles how a node is made from the slots of what it needs. A case for each small number of
 * parameters, because spreading an array costs more than building most services.
 */
export function makerOf(
  node: Node,
  inputs: readonly number[],
): (slots: readonly unknown[]) => unknown {
  const { provider } = node;
  if (provider.kind === 'function') return functionMaker(provider.make, node, inputs);
  if (provider.kind !== 'class') return () => EMPTY;
  const Target = provider.class as unknown as new (...args: unknown[]) => unknown; // decorated, so concrete
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
): (slots: readonly unknown[]) => unknown {
  const labels = node.edges.map((edge) => edge.label);
  const call = make as (values: Record<string, unknown>) => unknown; // `never` only for variance
  return (slots) => {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < labels.length; i++) values[labels[i]!] = slots[inputs[i]!];
    return call(values);
  };
}

/** Whether instances of a class say how to end them. */
export function isDisposableClass(target: Class): boolean {
  const prototype = target.prototype as object;
  return Symbol.asyncDispose in prototype || Symbol.dispose in prototype;
}
