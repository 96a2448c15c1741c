import { InjectionError } from './errors.ts';
import { defaultProvider, Unusable, type Lifetime, type Need, type Provider } from './provider.ts';
import { nameOf, type Key, type ScopeKind } from './token.ts';

/** A dependency whose own dependencies are known. */
export interface Node {
  readonly key: Key;
  readonly name: string;
  readonly provider: Exclude<Provider, { kind: 'alias' }>;
  readonly lifetime: Lifetime;
  readonly edges: readonly Edge[];
}

export interface Edge {
  /** The parameter that asks, for error messages. */
  readonly label: string;
  readonly node: Node;
}

/** Lengths of life: what lives long must not hold what lives short. */
const LENGTH = { singleton: 3, request: 2, handler: 1, transient: 0 } as const;

/**
 * Who needs whom. Grows as entry points are added; every fault found on the way is kept, and the
 * broken dependency left out, so that one start reports all of them.
 */
export class Graph {
  readonly faults: InjectionError[] = [];
  readonly #providers: ReadonlyMap<Key, Provider>;
  readonly #nodes = new Map<Key, Node | undefined>();
  readonly #open: Key[] = [];
  readonly #lazyTargets: (() => void)[] = [];
  #reachesScopesLazily = false;

  constructor(providers: ReadonlyMap<Key, Provider>) {
    this.#providers = providers;
  }

  get nodes(): Iterable<Node | undefined> {
    return this.#nodes.values();
  }

  has(key: Key): boolean {
    return this.#nodes.has(key);
  }

  /** Whether `lazy()` leads to something that lives in a scope, so that the current one must be known. */
  get reachesScopesLazily(): boolean {
    return this.#reachesScopesLazily;
  }

  /**
   * The node of a key, with everything below it.
   *
   * @param path - How the key was reached, for error messages.
   * @returns Nothing when it cannot be built; the reason is then among the faults.
   */
  node(key: Key | Unusable, path: readonly string[]): Node | undefined {
    if (key instanceof Unusable) {
      this.faults.push(key.toError(path));
      return undefined;
    }
    const open = this.#open.indexOf(key);
    if (open !== -1) {
      this.#reportCycle(this.#open.slice(open));
      return undefined;
    }
    if (this.#nodes.has(key)) return this.#nodes.get(key);
    this.#open.push(key);
    const node = this.#create(key, [...path, nameOf(key)]);
    this.#open.pop();
    this.#nodes.set(key, node);
    return node;
  }

  /** Plans what `lazy()` leads to, now that its classes are all declared. */
  followLazy(): void {
    for (let follow; (follow = this.#lazyTargets.shift());) follow();
  }

  /** Takes the faults found since there were `count`, and what is broken by them out of the graph. */
  takeFaults(count: number): InjectionError[] {
    for (const [key, node] of this.#nodes) if (!node) this.#nodes.delete(key);
    return this.faults.splice(count);
  }

  /** Reports what a scope of this kind cannot give. */
  checkCarrier(node: Node, kind: ScopeKind, path: readonly string[]): void {
    const found = findPath(node, ({ provider }) => {
      if (provider.kind !== 'external') return false;
      return provider.source.carriedBy !== 'any' && provider.source.carriedBy !== kind;
    });
    if (!found) return;
    const culprit = found.at(-1)!.name;
    this.faults.push(
      new InjectionError(
        'TA112',
        [...path, ...found.map(({ name }) => name)],
        `${culprit} exists only during an HTTP request`,
        kind === 'task'
          ? 'A task outlives its request: put what it needs into its payload or arguments.'
          : 'Ask for it in a handler or in something with the scope of a request.',
      ),
    );
  }

  #create(key: Key, path: readonly string[]): Node | undefined {
    const provider = this.#providers.get(key) ?? defaultProvider(key);
    if (provider instanceof Unusable) return this.node(provider, path);
    if (provider.kind === 'alias') return this.node(provider.to, path);
    const base = { key, name: path.at(-1)!, provider, edges: [] };
    switch (provider.kind) {
      case 'value':
        return { ...base, lifetime: 'singleton' };
      case 'external':
        return { ...base, lifetime: 'request' };
      case 'lazy':
        this.#lazyTargets.push(() => {
          const target = this.node(provider.of(), path);
          if (target && target.lifetime !== 'singleton') this.#reachesScopesLazily = true;
        });
        return { ...base, lifetime: 'singleton' };
      default: {
        const edges = this.#edges(provider.needs, path);
        if (!edges) return undefined;
        const node = { ...base, lifetime: provider.lifetime, edges };
        return this.#captures(node, path) ? undefined : node;
      }
    }
  }

  #edges(needs: readonly Need[], path: readonly string[]): Edge[] | undefined {
    const edges: Edge[] = [];
    for (const { label, key } of needs) {
      const node = this.node(key, path);
      if (node) edges.push({ label, node });
    }
    return edges.length === needs.length ? edges : undefined;
  }

  #captures(node: Node, path: readonly string[]): boolean {
    if (node.lifetime === 'transient') return false; // its consumer is checked, through it
    const found = findPath(
      node,
      ({ lifetime }) => lifetime !== 'transient' && LENGTH[lifetime] < LENGTH[node.lifetime],
      ({ lifetime }) => lifetime === 'transient',
    );
    if (!found) return false;
    const culprit = found.at(-1)!;
    this.faults.push(
      new InjectionError(
        'TA111',
        [...path, ...found.slice(1).map(({ name }) => name)],
        `${node.name} lives for ${article(node.lifetime)} and would keep ${culprit.name}, which lives for ${article(culprit.lifetime)}`,
        `Ask for ${culprit.name} where it is used (a handler parameter), reach it with lazy(), or give ` +
          `${node.name} the scope '${culprit.lifetime}'.`,
      ),
    );
    return true;
  }

  #reportCycle(keys: readonly Key[]): void {
    const names = [...keys, keys[0]].map(nameOf);
    this.faults.push(
      new InjectionError(
        'TA110',
        names,
        'it needs itself',
        'Move what both need into a third class, or break the cycle with lazy().',
      ),
    );
  }
}

function article(lifetime: Lifetime): string {
  return lifetime === 'singleton' ? 'the whole app' : `one ${lifetime}`;
}

/** The shortest way down from a node to one that matches, the node itself included. */
function findPath(
  from: Node,
  matches: (node: Node) => boolean,
  passes: (node: Node) => boolean = () => true,
): Node[] | undefined {
  const seen = new Set<Node>([from]);
  const queue: Node[][] = [[from]];
  for (let path; (path = queue.shift());) {
    const last = path.at(-1)!;
    if (matches(last)) return path;
    if (last !== from && !passes(last)) continue;
    for (const { node } of last.edges) {
      if (seen.has(node)) continue;
      seen.add(node);
      queue.push([...path, node]);
    }
  }
  return undefined;
}
