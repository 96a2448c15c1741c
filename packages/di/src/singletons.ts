import { AsyncLocalStorage } from 'node:async_hooks';
import { InjectionError, InvalidContainerError, ResolutionError } from './errors.ts';
import { available, isPending, obtain } from './execute.ts';
import type { Graph, Node } from './graph.ts';
import type { Scope, ScopeOwner } from './scope.ts';
import { EMPTY, type Keeper } from './step.ts';
import { tearDown, type Failure, type Teardown } from './teardown.ts';
import { nameOf, type Key, type ScopeKind } from './token.ts';

/** What lives as long as the container, and answers who asks where no scope is open. */
export class Singletons implements Keeper, ScopeOwner {
  readonly making: Set<Node> = new Set();
  readonly carrier = undefined; // what is read from one lives in a scope
  readonly #graph: Graph;
  readonly #values = new Map<Node, unknown>();
  readonly #teardowns: Teardown[] = [];
  readonly #currentScope = new AsyncLocalStorage<Scope>();

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  /**
   * Builds those that the graph has, and begins all of them before it waits for any.
   *
   * @returns What was thrown; empty when all went well.
   */
  async build(): Promise<Set<unknown>> {
    const failures = new Set<unknown>();
    const pending: Promise<unknown>[] = [];
    const nodes = [...this.#graph.nodes.values()]; // inject() may add to the graph meanwhile
    for (const node of nodes) {
      if (node?.lifetime !== 'singleton') continue;
      try {
        const value = this.valueOf(node);
        if (isPending(node, value)) pending.push(value);
      } catch (error) {
        failures.add(error);
        break; // who needs it would only make it fail again
      }
    }
    for (const settled of await Promise.allSettled(pending)) {
      if (settled.status === 'rejected') failures.add(settled.reason);
    }
    return failures;
  }

  /** Ends them, the last made first. @returns What was thrown. */
  end(failure?: Failure): unknown[] | Promise<unknown[]> {
    return tearDown(this.#teardowns, failure);
  }

  /** Runs a function with a scope as the current one, for `lazy()`. */
  enter<T>(scope: Scope, run: () => T): T {
    return this.#currentScope.run(scope, run);
  }

  resolveNow(key: Key): unknown {
    const node = this.require(key, 'any');
    const { name, keeps } = node;
    if (keeps === 'request' || keeps === 'handler') {
      throw new InjectionError(
        'TA111',
        [...this.making, node],
        `${name} lives for one ${keeps}, and no scope is open here`,
        'Open a scope and ask it, or reach it with lazy().',
      );
    }
    return available(node, this.valueOf(node));
  }

  require(key: Key, kind: ScopeKind): Node {
    const known = this.#graph.nodes.get(key);
    if (known && isCarriedBy(known, kind)) return known;
    const [edge] = this.#graph.add([{ key }], undefined, kind);
    this.#graph.followLazy();
    const faults = this.#graph.takeFaults();
    if (faults.length > 0 || !edge) throw new InvalidContainerError(faults);
    return edge.node;
  }

  lazily(of: () => Key, fallback?: Scope): { get(): unknown } {
    return {
      get: () => {
        const key = of();
        const scope = this.#currentScope.getStore() ?? fallback;
        if (scope) return scope.resolveNow(key);
        if (this.require(key, 'any').lifetime === 'singleton') return this.resolveNow(key);
        throw new ResolutionError(
          'TA122',
          `lazy().get() was asked for ${nameOf(key)} outside of a scope: call it during a request or a task.`,
        );
      },
    };
  }

  valueOf(node: Node): unknown {
    return obtain(node, this);
  }

  kept(node: Node): unknown {
    const value = this.#values.get(node);
    return value !== undefined || this.#values.has(node) ? value : EMPTY;
  }

  keep(node: Node, value: unknown): void {
    this.#values.set(node, value);
  }

  note(_node: Node, teardown: Teardown): void {
    this.#teardowns.push(teardown);
  }
}

function isCarriedBy(node: Node, kind: ScopeKind): boolean {
  for (const wanted of node.carriedBy) if (wanted !== kind) return false;
  return true;
}
