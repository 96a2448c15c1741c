import type { Edge, Node } from './graph.ts';
import type { ScopeKind } from './token.ts';

/** Marks a slot that has no value yet; `undefined` is a value. */
export const EMPTY: unique symbol = Symbol('empty');

/** Makes one value of a scope. Steps stand in the order in which they must run. */
export interface Step {
  readonly node: Node;
  readonly slot: number;
  /** Reads from what the scope was opened with; absent for steps that make something. */
  readonly read: ((carrier: unknown) => unknown) | undefined;
  readonly make: (slots: readonly unknown[]) => unknown;
  /** Whether what is made needs no second look: not awaited, not ended. True for most classes. */
  readonly isPlain: boolean;
}

/**
 * What must be done, in a scope, to have the values of some entry points: a list of steps over an
 * array of slots. Singletons stand in the array from the start; a request copies it and runs the steps.
 */
export class Plan {
  /** For error messages, e.g. `UsersController.create`. */
  readonly name: string;
  /** Of the scopes that will run it. */
  readonly kind: ScopeKind;
  readonly edges: readonly Edge[];
  /** The slots of the entry points, in their order. */
  readonly entries: readonly number[];
  readonly #steps: Step[] = [];
  readonly #slotOf = new Map<Node, number>();
  readonly #template: unknown[] = [];

  constructor(name: string, kind: ScopeKind, edges: readonly Edge[]) {
    this.name = name;
    this.kind = kind;
    this.edges = edges;
    this.entries = edges.map(({ node }) => this.#slotFor(node));
  }

  get steps(): readonly Step[] {
    return this.#steps;
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

  /** The array that the steps fill: singletons in their places, the rest empty. Copied only to be filled. */
  newSlots(): unknown[] {
    return this.#steps.length === 0 ? this.#template : this.#template.slice();
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
    const { provider } = node;
    const read =
      provider.kind === 'external'
        ? (provider.source.reader() as (carrier: unknown) => unknown)
        : undefined;
    const isPlain = provider.kind === 'class' && !provider.isDisposable;
    this.#steps.push({ node, slot, read, make: makerOf(node, inputs), isPlain });
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
  const labels = node.edges.map(({ need }) => need.label!); // the keys of the record of inputs
  const call = make as (values: Record<string, unknown>) => unknown; // `never` only for variance
  return (slots) => {
    const values: Record<string, unknown> = {};
    for (let i = 0; i < labels.length; i++) values[labels[i]!] = slots[inputs[i]!];
    return call(values);
  };
}
