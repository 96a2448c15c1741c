import {
  InjectionError,
  InvalidContainerError,
  ResolutionError,
  SeveralFailedError,
} from './errors.ts';
import { explainEdges } from './explain.ts';
import { Graph, reach, type Node } from './graph.ts';
import { Plan } from './plan.ts';
import { toProvider, type Need, type Provider, type Provision } from './provider.ts';
import { Scope } from './scope.ts';
import { Singletons } from './singletons.ts';
import { EMPTY } from './step.ts';
import { throwAny } from './teardown.ts';
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

/** Makes a container, in which nothing is registered. */
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
export class Container implements AsyncDisposable {
  readonly #providers = new Map<Key, Provider>();
  readonly #overrides = new Map<Key, Provider>();
  /** Those of the overrides that somebody must ask for. */
  readonly #wanted = new Set<Key>();
  readonly #registered = {
    find: (key: Key): Provider | undefined => this.#overrides.get(key) ?? this.#providers.get(key),
  };
  readonly #graph = new Graph(this.#registered);
  readonly #plans: Plan[] = [];
  readonly #singletons = new Singletons(this.#graph);
  readonly #emptyPlan = new Plan('a scope', 'any', []);
  #state: 'open' | 'started' | 'closed' = 'open';

  /**
   * Says how a token or class gets its value. The last word counts.
   *
   * @throws {ResolutionError} `TA126` after `start()`.
   */
  provide<T>(key: Token<T> | Class<T>, how: Provision<T>): this {
    return this.#register(this.#providers, key as unknown as Key, toProvider(how)); // a token is an object with a kind
  }

  /**
   * Replaces a token, class or function dependency by a value, for tests: what the replaced one needed
   * is not built. It wins over `provide()`. The last word counts.
   *
   * Nobody asking for it is a fault (`TA107`), which `start()` reports if it is certain; when code that
   * has not run yet could ask with `inject()`, the process is warned at `close()` if it has not.
   *
   * @param options.mayBeUnused - Whether nobody needs to ask for it; default `false`.
   * @throws {ResolutionError} `TA126` after `start()`.
   */
  override<V>(
    key: Source<V> | Class<V>,
    value: V,
    { mayBeUnused = false }: { readonly mayBeUnused?: boolean } = {},
  ): this {
    const replaced = key as unknown as Key; // a source is an object with a kind
    this.#register(this.#overrides, replaced, { kind: 'value', value });
    if (!mayBeUnused) this.#wanted.add(replaced);
    return this;
  }

  /**
   * Lets a class stand for a value that comes with the scope, such as the HTTP context.
   *
   * @throws {ResolutionError} `TA126` after `start()`.
   */
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
   * @returns A plan for `openScope()`. Faults are reported by `start()`, all of them at once.
   * @throws {ResolutionError} `TA126` after `start()`.
   */
  plan(needs: readonly Need[], { name, kind = 'any' }: PlanOptions): Plan {
    this.#assertOpen(`${name} was planned`);
    const plan = new Plan(name, kind, this.#graph.add(needs, name, kind));
    this.#plans.push(plan);
    return plan;
  }

  /** Every key that these needs lead to, in the order of asking. Plans nothing and builds nothing. */
  reach(needs: readonly Need[]): readonly Key[] {
    return reach(needs, this.#registered);
  }

  #assertOpen(what: string): void {
    if (this.#state === 'open') return;
    throw new ResolutionError(
      'TA126',
      `${what} after start(): everything is planned there. Do it before.`,
    );
  }

  /** Everything that is wrong with what was planned and registered so far; empty when nothing is. */
  get faults(): readonly InjectionError[] {
    this.#graph.followLazy();
    return [...this.#graph.faults, ...this.#unusedOverrides()];
  }

  /**
   * Overrides that nobody asks for, if that is certain. What code asks for with `inject()` is known when
   * it has run, and what is broken may ask once it is mended: docs/adr/0022-unused-overrides.md.
   */
  #unusedOverrides(): InjectionError[] {
    const mayAskYet = (node: Node | undefined): boolean =>
      !node || ('needs' in node.provider && this.#singletons.kept(node) === EMPTY);
    if ([...this.#graph.nodes.values()].some(mayAskYet)) return [];
    return this.#unasked().map(
      (key) =>
        new InjectionError(
          'TA107',
          [{ name: nameOf(key) }],
          'it is overridden, but nobody asks for it',
          'Remove the override, or override what is really used.',
        ),
    );
  }

  /** Overrides that nobody has asked for so far. */
  #unasked(): Key[] {
    return [...this.#wanted].filter((key) => !this.#graph.nodes.has(key));
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
   * @throws {ResolutionError} `TA126` when it is called twice.
   * @throws {InvalidContainerError} `TA100` with every fault.
   * @throws What building a singleton threw, a `SeveralFailedError` (`TA130`) if several failed. Those that had been
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
    const failures = await this.#singletons.build();
    const unused = failures.size === 0 ? this.#unusedOverrides() : []; // all that singletons inject() is known
    if (unused.length > 0) failures.add(new InvalidContainerError(unused));
    if (failures.size > 0) {
      this.#state = 'closed';
      const [error] = failures;
      await this.#singletons.end({ error });
      if (failures.size === 1) throw error;
      throw new SeveralFailedError(
        'TA130',
        failures,
        `${failures.size} singletons could not be built`,
      );
    }
    for (const plan of this.#plans) plan.bind((node) => this.#singletons.valueOf(node));
  }

  /**
   * Opens a scope. The caller closes it.
   *
   * @param plan - What `scope.run()` makes; default: nothing.
   * @param carrier - What external sources read from, such as an HTTP context.
   * @throws {ResolutionError} `TA121` before `start()`, `TA120` after `close()`.
   */
  openScope(plan: Plan = this.#emptyPlan, carrier?: unknown): Scope {
    if (this.#state !== 'started') this.#refuse(`the scope of ${plan.name}`);
    return new Scope(this.#singletons, plan, carrier);
  }

  /** Runs a function with a scope as the current one, for `lazy()`. Returns what it returns. */
  enter<T>(scope: Scope, run: () => T): T {
    return this.#singletons.enter(scope, run);
  }

  /**
   * The value of a singleton; a new value of a transient that needs only singletons.
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
    return this.#singletons.resolveNow(key) as Gives<X>;
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

  /**
   * What a dependency is made of, as a tree for people: how long each part lives, why, and who ends it.
   * Without an argument: what every plan is made of. Asking changes nothing.
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
    const graph = new Graph(this.#registered);
    const [edge] = graph.add([{ key: source as unknown as Key }], undefined, 'http');
    if (!edge) throw new InvalidContainerError(graph.faults);
    return explainEdges([edge]).join('\n');
  }

  /**
   * Ends every singleton, the last made first. A second call does nothing. Warns the process of overrides
   * that nobody has asked for.
   *
   * @throws What a disposer threw, a `SeveralFailedError` (`TA131`) if several did; all of them have run.
   */
  async close(): Promise<void> {
    if (this.#state === 'started') this.#unasked().forEach(warnOfUnused);
    this.#state = 'closed';
    throwAny(await this.#singletons.end(), 'the container');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function warnOfUnused(key: Key): void {
  process.emitWarning(
    `${nameOf(key)} is overridden, but nobody has asked for it. Remove the override, or override what is really used.`,
    { type: 'UnusedOverride', code: 'TA107' },
  );
}
