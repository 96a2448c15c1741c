import { AsyncLocalStorage } from 'node:async_hooks';
import { available, isPending, obtain } from './execute.ts';
import { InjectionError, InvalidContainerError, ResolutionError } from './errors.ts';
import { explainEdges } from './explain.ts';
import { Graph, reach, type Node } from './graph.ts';
import { Plan } from './plan.ts';
import { toProvider, type Need, type Provider, type Provision } from './provider.ts';
import { Scope, type ScopeOwner } from './scope.ts';
import { EMPTY, type Keeper } from './step.ts';
import { tearDown, throwAny, type Teardown } from './teardown.ts';
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
 * - open: register, override, plan
 * - started: everything is planned and checked, singletons are built; get, open scopes
 * - closed: singletons have ended
 */
export class Container implements AsyncDisposable, ScopeOwner, Keeper {
  /** @internal */
  readonly making: Set<Node> = new Set();
  /** @internal */
  readonly carrier: undefined = undefined; // what is read from one lives in a scope
  readonly #providers = new Map<Key, Provider>();
  readonly #overrides = new Map<Key, Provider>();
  /** Those of the overrides that somebody must ask for. */
  readonly #wanted = new Set<Key>();
  readonly #found = {
    find: (key: Key): Provider | undefined => this.#overrides.get(key) ?? this.#providers.get(key),
  };
  readonly #graph = new Graph(this.#found);
  readonly #plans: Plan[] = [];
  readonly #singletons = new Map<Node, unknown>();
  readonly #teardowns: Teardown[] = [];
  readonly #currentScope = new AsyncLocalStorage<Scope>();
  readonly #emptyPlan = new Plan('a scope', 'any', []);
  #state: 'open' | 'started' | 'closed' = 'open';

  /**
   * Says how a token or class gets its value. The last word counts.
   *
   * @throws {TypeError} After `start()`.
   */
  provide<T>(key: Token<T> | Class<T>, how: Provision<T>): this {
    return this.#register(this.#providers, key as unknown as Key, toProvider(how)); // a token is an object with a kind
  }

  /**
   * Replaces a token, class or function dependency by a value, for tests: what the replaced one needed
   * is not built. It wins over `provide()`. The last word counts.
   *
   * @param options.mayBeUnused - Whether nobody needs to ask for it; default false: `start()` refuses it.
   * @throws {TypeError} After `start()`.
   */
  override<V>(
    key: Source<V> | Class<V>,
    value: V,
    { mayBeUnused = false }: { readonly mayBeUnused?: boolean } = {},
  ): this {
    if (!mayBeUnused) this.#wanted.add(key as unknown as Key); // a source is an object with a kind
    return this.#register(this.#overrides, key as unknown as Key, { kind: 'value', value }); // a source is an object with a kind
  }

  /** Lets a class stand for a value that comes with the scope, such as the HTTP context. */
  external<T>(key: Class<T>, source: ExternalSource): this {
    return this.#register(this.#providers, key, { kind: 'external', source });
  }

  #register(providers: Map<Key, Provider>, key: Key, provider: Provider): this {
    this.#assertOpen(`${nameOf(key)} was registered`);
    providers.set(key, provider);
    return this;
  }

  /**
   * Plans entry points: what must be made, in which order, to have their values.
   *
   * @returns A plan for `openScope`. Faults are reported by `start()`, all of them at once.
   * @throws {TypeError} After `start()`.
   */
  plan(needs: readonly Need[], { name, kind = 'any' }: PlanOptions): Plan {
    this.#assertOpen(`${name} was planned`);
    const plan = new Plan(name, kind, this.#graph.add(needs, name, kind));
    this.#plans.push(plan);
    return plan;
  }

  /** Every key that these needs lead to, in the order of asking. Plans nothing and builds nothing. */
  reach(needs: readonly Need[]): readonly Key[] {
    return reach(needs, this.#found);
  }

  #assertOpen(what: string): void {
    if (this.#state === 'open') return;
    throw new TypeError(`${what} after start(): everything is planned there. Do it before.`);
  }

  /** Everything that is wrong with what was planned and registered so far. */
  get faults(): readonly InjectionError[] {
    this.#graph.followLazy();
    return [...this.#graph.faults, ...this.#unusedOverrides()];
  }

  #unusedOverrides(): InjectionError[] {
    const { nodes } = this.#graph;
    const unused = [...this.#wanted].filter((key) => !nodes.has(key));
    // What inject() asks for is only known once it runs: then nobody can say that it is not used.
    if (unused.length === 0 || [...nodes.values()].some(mayInject)) return [];
    return unused.map(
      (key) =>
        new InjectionError(
          'TA107',
          [{ name: nameOf(key) }],
          'it is overridden, but nobody asks for it',
          'Remove the override, or override what is really used.',
        ),
    );
  }

  /** Whether code must run inside `enter()`, because a singleton reaches into the current scope. */
  get tracksScopes(): boolean {
    return this.#graph.reachesScopesLazily;
  }

  /**
   * Checks everything that was planned, then builds every singleton, those that do not need one another
   * at once.
   *
   * @param entryPoints - What will be asked for with `get()`, if no plan names it.
   * @throws {InvalidContainerError} `TA100` with every fault.
   * @throws What building a singleton threw, an AggregateError if several failed. Those that had been
   *   built are ended.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  async start(...entryPoints: readonly (Source<any> | Class<any>)[]): Promise<void> {
    this.#assertOpen('start() was called');
    for (const entry of entryPoints) {
      this.#graph.add([{ key: entry as unknown as Key }], undefined, 'any'); // a source is an object with a kind
    }
    const { faults } = this;
    if (faults.length > 0) throw new InvalidContainerError(faults);
    this.#state = 'started';
    const failures = await this.#buildSingletons();
    if (failures.size > 0) {
      this.#state = 'closed';
      const [error] = failures;
      await tearDown(this.#teardowns, { error });
      if (failures.size === 1) throw error;
      throw new AggregateError(failures, `${failures.size} singletons could not be built`);
    }
    for (const plan of this.#plans) plan.bind((node) => this.valueOf(node));
  }

  /** Begins all of them before it waits for any. */
  async #buildSingletons(): Promise<ReadonlySet<unknown>> {
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

  /**
   * Opens a scope. The caller closes it.
   *
   * @param plan - What `scope.run()` makes; default nothing.
   * @param carrier - What external sources read from, such as an HTTP context.
   * @throws {ResolutionError} `TA121` before `start()`, `TA120` after `close()`.
   */
  openScope(plan: Plan = this.#emptyPlan, carrier?: unknown): Scope {
    if (this.#state !== 'started') this.#refuse(`the scope of ${plan.name}`);
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
   * @throws {InvalidContainerError} `TA100` when it cannot be built.
   * @throws {ResolutionError} `TA121` before `start()`, `TA120` after `close()`, `TA123` when it has to be
   *   waited for and was not named to `start()`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  get<X extends Source<any> | Class<any>>(source: X): Gives<X> {
    const key = source as unknown as Key; // every source is an object with a kind
    if (this.#state !== 'started') this.#refuse(nameOf(key));
    return this.resolveNow(key) as Gives<X>;
  }

  #refuse(what: string): never {
    if (this.#state === 'closed') {
      throw new ResolutionError('TA120', `${what} was asked of a container that is closed.`);
    }
    throw new ResolutionError(
      'TA121',
      `${what} was asked of a container that has not started. Await start() first.`,
    );
  }

  /** @internal */
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

  /** @internal */
  require(key: Key, kind: ScopeKind): Node {
    const known = this.#graph.nodes.get(key);
    if (known && isCarriedBy(known, kind)) return known;
    const [edge] = this.#graph.add([{ key }], undefined, kind);
    this.#graph.followLazy();
    const faults = this.#graph.takeFaults();
    if (faults.length > 0 || !edge) throw new InvalidContainerError(faults);
    return edge.node;
  }

  /** @internal */
  valueOf(node: Node): unknown {
    return obtain(node, this);
  }

  /** @internal */
  kept(node: Node): unknown {
    return this.#singletons.has(node) ? this.#singletons.get(node) : EMPTY;
  }

  /** @internal */
  keep(node: Node, value: unknown): void {
    this.#singletons.set(node, value);
  }

  /** @internal */
  note(_node: Node, teardown: Teardown): void {
    this.#teardowns.push(teardown);
  }

  /** @internal */
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

  /**
   * What a dependency is made of, as a tree for people: how long each part lives, why, and who ends it.
   * Without a key: of everything that was planned.
   *
   * @throws {InvalidContainerError} `TA100` when it cannot be built.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  explain(source?: Source<any> | Class<any>): string {
    if (source === undefined) {
      return this.#plans
        .filter(({ edges }) => edges.length > 0)
        .map(({ name, edges }) => [name, ...explainEdges(edges)].join('\n'))
        .join('\n\n');
    }
    const graph = new Graph(this.#found); // not the real one: asking must change nothing
    const [edge] = graph.add([{ key: source as unknown as Key }], undefined, 'http');
    if (!edge) throw new InvalidContainerError(graph.faults);
    return explainEdges([edge]).join('\n');
  }

  /**
   * Ends every singleton, the last made first. A second call does nothing.
   *
   * @throws What a disposer threw, an AggregateError if several did; all of them have run.
   */
  async close(): Promise<void> {
    this.#state = 'closed';
    throwAny(await tearDown(this.#teardowns, undefined), 'the container');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function isCarriedBy(node: Node, kind: ScopeKind): boolean {
  for (const carrier of node.carriers) if (carrier !== kind) return false;
  return true;
}

function mayInject(node: Node | undefined): boolean {
  const provider = node?.provider;
  const code =
    provider?.kind === 'class'
      ? provider.class
      : provider?.kind === 'function'
        ? provider.make
        : undefined;
  return code !== undefined && /\binject\b/.test(Function.prototype.toString.call(code));
}
