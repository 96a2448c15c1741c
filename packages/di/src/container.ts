import { AsyncLocalStorage } from 'node:async_hooks';
import { InjectionError, InvalidContainerError, ResolutionError } from './errors.ts';
import { Graph, type Node } from './graph.ts';
import { setResolver, type Resolver } from './inject.ts';
import { makerOf, Plan } from './plan.ts';
import { toProvider, type Need, type Provider, type Provision } from './provider.ts';
import { reach } from './reach.ts';
import { isPromise, keep, Scope, type ScopeOwner } from './scope.ts';
import { tearDown, type Teardown } from './teardown.ts';
import {
  nameOf,
  type Class,
  type ExternalSource,
  type Gives,
  type Key,
  type ScopeKind,
  type Source,
  type Token,
} from './token.ts';

/** What a plan is made for. */
export interface PlanOptions {
  /** For error messages, e.g. `UsersController.create`. */
  readonly name: string;
  /** The kind of scope that will run it; default `'any'`. */
  readonly kind?: ScopeKind;
}

/** Makes a container. */
export function createContainer(): Container {
  return new Container();
}

/**
 * Builds objects by the types of their constructors, and ends them when their time is over.
 *
 * Register, `start()` — which reports everything that is wrong, then builds the singletons — open
 * scopes, `close()`.
 */
export class Container implements AsyncDisposable, ScopeOwner, Resolver {
  readonly #providers = new Map<Key, Provider>();
  readonly #overrides = new Set<Key>();
  readonly #graph = new Graph(this.#providers);
  readonly #plans: Plan[] = [];
  readonly #singletons = new Map<Node, unknown>();
  readonly #teardowns: Teardown[] = [];
  readonly #currentScope = new AsyncLocalStorage<Scope>();
  readonly #emptyPlan = new Plan('a scope', 'any', []);
  #isStarted = false;

  /**
   * Says how a token or class gets its value. The last word counts.
   *
   * @throws {TypeError} After `start()`.
   */
  provide<T>(key: Token<T> | Class<T>, how: Provision<T>): this {
    return this.#register(key as unknown as Key, toProvider(how)); // tokens are objects with a kind
  }

  /**
   * Replaces a token, class or function dependency by a value, for tests: what the replaced one needed
   * is not built. `start()` refuses an override that nobody uses.
   */
  override<V>(key: Source<V> | Class<V>, value: V): this {
    this.#overrides.add(key as unknown as Key); // every source is an object with a kind
    return this.#register(key as unknown as Key, { kind: 'value', value });
  }

  /** Lets a class stand for a value that comes with the scope, such as the HTTP context. */
  external<T>(key: Class<T>, source: ExternalSource): this {
    return this.#register(key, { kind: 'external', source });
  }

  #register(key: Key, provider: Provider): this {
    if (this.#isStarted) {
      throw new TypeError(
        `${nameOf(key)} was registered after start(): everything is planned there. Register it before.`,
      );
    }
    this.#providers.set(key, provider);
    return this;
  }

  /**
   * Plans entry points: what must be made, in which order, to have their values.
   *
   * @returns A plan for `openScope`. Faults are reported by `start()`, all of them at once.
   */
  plan(needs: readonly Need[], { name, kind = 'any' }: PlanOptions): Plan {
    const nodes = needs.map((need) => {
      const node = this.#graph.node(need.key, [name]);
      if (node) this.#graph.checkCarrier(node, kind, [name]);
      return node;
    });
    const plan = new Plan(
      name,
      kind,
      nodes.filter((node) => node !== undefined),
    );
    this.#plans.push(plan);
    return plan;
  }

  /** Every key that these needs lead to, in the order of asking. Plans nothing and builds nothing. */
  reach(needs: readonly Need[]): readonly Key[] {
    return reach(needs, this.#providers);
  }

  /** Everything that is wrong with what was planned and registered so far. */
  get faults(): readonly InjectionError[] {
    this.#graph.followLazy();
    const unused = [...this.#overrides].filter((key) => !this.#graph.has(key));
    return [
      ...this.#graph.faults,
      ...unused.map(
        (key) =>
          new InjectionError(
            'TA107',
            [nameOf(key)],
            'it is overridden, but nobody asks for it',
            'Remove the override, or override what is really used.',
          ),
      ),
    ];
  }

  /** Whether code must run inside `enter()`, because a singleton reaches into the current scope. */
  get tracksScopes(): boolean {
    return this.#graph.reachesScopesLazily;
  }

  /**
   * Checks the whole graph, then builds every singleton, those that do not need one another at once.
   *
   * @throws {InvalidContainerError} `TA100` with every fault.
   */
  async start(): Promise<void> {
    const { faults } = this;
    if (faults.length > 0) throw new InvalidContainerError(faults);
    this.#isStarted = true;
    try {
      await Promise.all(
        [...this.#graph.nodes]
          .filter((node) => node?.lifetime === 'singleton')
          .map((node) => this.singleton(node!)),
      );
    } catch (error) {
      await tearDown(this.#teardowns, { error });
      throw error;
    }
    for (const plan of this.#plans) this.#bind(plan);
  }

  #bind(plan: Plan): void {
    plan.bind((node) => this.#singletons.get(node));
  }

  /** Opens a scope. The caller closes it. */
  openScope(plan: Plan = this.#emptyPlan, carrier?: unknown): Scope {
    return new Scope(this, plan, carrier);
  }

  /** Runs a function with a scope as the current one, for `lazy()`. */
  enter<T>(scope: Scope, run: () => T): T {
    return this.#currentScope.run(scope, run);
  }

  /**
   * The value of a singleton.
   *
   * @throws {InjectionError} `TA111` for what lives in a scope: open one and ask it.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  get<X extends Source<any> | Class<any>>(source: X): Gives<X> {
    return this.resolveNow(source as unknown as Key) as Gives<X>; // every source is an object with a kind
  }

  resolveNow(key: Key): unknown {
    const node = this.require(key, 'any');
    if (node.lifetime === 'request' || node.lifetime === 'handler') {
      throw new InjectionError(
        'TA111',
        [nameOf(key)],
        `it lives for one ${node.lifetime}, and no scope is open here`,
        'Open a scope and ask it, or reach it with lazy().',
      );
    }
    const value = node.lifetime === 'singleton' ? this.singleton(node) : this.#build(node);
    if (isPromise(value) && node.provider.kind === 'function') {
      throw new ResolutionError(
        'TA123',
        `${nameOf(key)} is asynchronous and not ready: ask for it as a parameter or input, not with inject().`,
      );
    }
    return value;
  }

  require(key: Key, kind: ScopeKind): Node {
    const before = this.#graph.faults.length;
    const node = this.#graph.node(key, []);
    if (node) this.#graph.checkCarrier(node, kind, []);
    this.#graph.followLazy();
    const faults = this.#graph.takeFaults(before);
    if (faults.length > 0 || !node) throw new InvalidContainerError(faults);
    return node;
  }

  /** The value of a singleton, or a promise of it while it is being built. */
  singleton(node: Node): unknown {
    if (this.#singletons.has(node)) return this.#singletons.get(node);
    const value = this.#build(node);
    this.#singletons.set(node, value);
    if (isPromise(value)) {
      void value.then(
        (built) => this.#singletons.set(node, built),
        () => undefined, // start() reports it
      );
    }
    return value;
  }

  #build(node: Node): unknown {
    if (node.provider.kind === 'value') return node.provider.value;
    if (node.provider.kind === 'lazy') return this.#lazyValue(node.provider.of);
    const inputs = node.edges.map((edge) =>
      edge.node.lifetime === 'singleton' ? this.singleton(edge.node) : this.#build(edge.node),
    );
    const make = (values: readonly unknown[]): unknown => {
      const previous = setResolver(this);
      try {
        return keep(node, makerOf(node, [...values.keys()])(values), (teardown) =>
          this.#teardowns.push(teardown),
        );
      } finally {
        setResolver(previous);
      }
    };
    return inputs.some(isPromise) ? Promise.all(inputs).then(make) : make(inputs);
  }

  #lazyValue(of: () => Key): { get(): unknown } {
    return {
      get: () => {
        const key = of();
        const scope = this.#currentScope.getStore();
        if (scope) return scope.resolveNow(key);
        if (this.require(key, 'any').lifetime === 'singleton') return this.resolveNow(key);
        throw new ResolutionError(
          'TA122',
          `lazy().get() was asked for ${nameOf(key)} outside of a scope: call it during a request or a task.`,
        );
      },
    };
  }

  /**
   * Ends every singleton, the last made first.
   *
   * @throws {AggregateError} What disposers threw, after all of them have run.
   */
  async close(): Promise<void> {
    const failures = await tearDown(this.#teardowns, undefined);
    if (failures.length > 0) {
      throw new AggregateError(failures, `${failures.length} singletons could not be closed`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
