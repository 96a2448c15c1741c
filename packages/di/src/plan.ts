import { execute } from './execute.ts';
import type { Edge, Node } from './graph.ts';
import { EMPTY, stepOf, type Step } from './step.ts';
import type { ExternalSource, ScopeKind } from './token.ts';

/**
 * What must be done, in a scope, to have the values of some entry points: a list of steps over an
 * array of slots. Singletons stand in the array from the start; a request copies it and takes the steps.
 */
export class Plan {
  /** For error messages, e.g. `UsersController.create`. */
  readonly name: string;
  /** The kind of the scopes that will run it. */
  readonly kind: ScopeKind;
  /** @internal */
  readonly edges: readonly Edge[];
  /** @internal */
  readonly steps: readonly Step[];
  /** The slots of the entry points, in their order. */
  readonly entries: readonly number[];
  /** Whether nothing has to be made: every value is a singleton or read from the carrier. */
  readonly needsNoScope: boolean;
  readonly #slotOf = new Map<Node, number>();
  readonly #template: unknown[] = [];

  constructor(name: string, kind: ScopeKind, edges: readonly Edge[]) {
    const steps: Step[] = [];
    this.name = name;
    this.kind = kind;
    this.edges = edges;
    this.steps = steps;
    this.entries = edges.map(({ node }) => this.#place(node, steps));
    this.needsNoScope = steps.every(({ onlyReads }) => onlyReads);
  }

  /** What is read from the carrier, in this order. */
  get sources(): readonly ExternalSource[] {
    return this.steps.flatMap(({ node: { provider } }) =>
      provider.kind === 'external' ? [provider.source] : [],
    );
  }

  /**
   * Runs a plan that needs no scope. One that does is run by a scope, which ends what is made.
   *
   * @param carrier - What external sources read from.
   * @param finish - Gets the slots, with the values of the entry points at `entries`, and the carrier.
   * @returns What `finish` returns, or a promise of it when a value had to be waited for.
   * @throws When something has to be made.
   * @throws What a reader or `finish` threw.
   */
  run<C, R>(carrier: C, finish: (slots: readonly unknown[], carrier: C) => R): R | Promise<R> {
    if (!this.needsNoScope) throw new Error(`${this.name} needs a scope: open one, and run that.`);
    return execute(this.steps, this.newSlots(), carrier, undefined, finish);
  }

  /**
   * Puts the singletons into their places; once, when they have been built.
   *
   * @internal
   */
  bind(valueOf: (singleton: Node) => unknown): void {
    for (const [node, slot] of this.#slotOf) {
      if (node.lifetime === 'singleton') this.#template[slot] = valueOf(node);
    }
  }

  /**
   * The array that the steps fill: singletons in their places, the rest empty. Copied only to be filled.
   *
   * @internal
   */
  newSlots(): unknown[] {
    return this.steps.length === 0 ? this.#template : this.#template.slice();
  }

  /** @internal */
  slotOf(node: Node): number | undefined {
    return this.#slotOf.get(node);
  }

  /** Adds the steps to a value, what it needs first, unless they are there. Returns its slot. */
  #place(node: Node, steps: Step[]): number {
    const known = this.#slotOf.get(node);
    if (known !== undefined) return known;
    if (node.lifetime === 'singleton') return this.#newSlot(node);
    const needs = node.edges.map((edge) => this.#place(edge.node, steps));
    const slot = this.#newSlot(node);
    steps.push(stepOf(node, needs, slot));
    return slot;
  }

  #newSlot(node: Node): number {
    const slot = this.#template.push(EMPTY) - 1;
    if (node.lifetime !== 'transient') this.#slotOf.set(node, slot);
    return slot;
  }
}
