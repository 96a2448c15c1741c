import { InjectionError, type Hop, type InjectionCode } from './errors.ts';
import { LENGTH, type Lifetime } from './lifetime.ts';
import { defaultProvider, Unusable, type Need, type Provider } from './provider.ts';
import { nameOf, type Key, type ScopeKind } from './token.ts';

/** A dependency whose own dependencies are known. */
export interface Node {
  readonly key: Key;
  readonly name: string;
  readonly provider: Exclude<Provider, { kind: 'alias' }>;
  readonly lifetime: Lifetime;
  readonly edges: readonly Edge[];
  /** The shortest life of what it keeps: its own, or for a transient that of what it is made of. */
  readonly keeps: Lifetime;
  /** The kinds of scope that carry what it needs; most often none. */
  readonly carriedBy: ReadonlySet<ScopeKind>;
}

/** Leads from one who needs something to what he needs. */
export interface Edge {
  readonly need: Need;
  readonly node: Node;
}

/** What was registered. */
export interface Providers {
  /** Returns `undefined` when a key was not registered, and what it says itself counts. */
  find(key: Key): Provider | undefined;
}

const NO_KINDS: ReadonlySet<ScopeKind> = new Set();

/**
 * Who needs whom. Grows as entry points are added; every fault found on the way is kept, and the
 * broken dependency left out, so that one start reports all of them.
 */
export class Graph {
  readonly faults: InjectionError[] = [];
  readonly #providers: Providers;
  /** A key that cannot be built is kept with `undefined`, and so reported once. */
  readonly #nodes = new Map<Key, Node | undefined>();
  /** The way from the entry point to what is being added. */
  #trail: (Hop & { readonly key?: Key })[] = [];
  /** How much of the trail is there for messages only, because it was added before. */
  #addedBefore = 0;
  #lazyTargets: (() => void)[] = [];
  #reachesScopesLazily = false;

  constructor(providers: Providers) {
    this.#providers = providers;
  }

  get nodes(): ReadonlyMap<Key, Node | undefined> {
    return this.#nodes;
  }

  /** Whether `lazy()` leads to something that lives in a scope, so that the current one must be known. */
  get reachesScopesLazily(): boolean {
    return this.#reachesScopesLazily;
  }

  /**
   * Adds what an entry point needs, with everything below it.
   *
   * @param asker - For error messages: who asks. `undefined` when the need speaks for itself.
   * @param kind - The kind of the scopes that it will be given in.
   * @returns What can be built. Why the others cannot is then among the faults.
   */
  add(needs: readonly Need[], asker: string | undefined, kind: ScopeKind): Edge[] {
    this.#trail = asker === undefined ? [] : [{ name: asker }];
    this.#addedBefore = this.#trail.length;
    const edges: Edge[] = [];
    for (const need of needs) {
      const node = this.#visit(need);
      if (!node) continue;
      this.#checkKind({ need, node }, kind);
      edges.push({ need, node });
    }
    return edges;
  }

  /** Plans what `lazy()` leads to, now that its classes are all declared. */
  followLazy(): void {
    for (let follow; (follow = this.#lazyTargets.shift());) follow();
  }

  /** Takes all faults out, and what is broken by them, so that it may be tried again. */
  takeFaults(): InjectionError[] {
    const faults = this.faults.splice(0);
    if (faults.length > 0) {
      for (const [key, node] of this.#nodes) if (!node) this.#nodes.delete(key);
    }
    return faults;
  }

  #visit(need: Need): Node | undefined {
    const { key } = need;
    if (key instanceof Unusable) return this.#report(key.code, key.problem, key.remedy);
    const open = this.#trail.findIndex((hop, i) => i >= this.#addedBefore && hop.key === key);
    if (open !== -1) return this.#reportCycle(open, need);
    if (this.#nodes.has(key)) return this.#nodes.get(key);
    this.#trail.push(new TrailHop(key, need));
    const node = this.#create(key);
    this.#trail.pop();
    this.#nodes.set(key, node);
    return node;
  }

  #create(key: Key): Node | undefined {
    const provider = this.#providers.find(key) ?? defaultProvider(key);
    if (provider instanceof Unusable) {
      return this.#report(provider.code, provider.problem, provider.remedy);
    }
    if (provider.kind === 'alias') return this.#visit({ key: provider.to });
    const base = { key, name: nameOf(key), provider, edges: [], carriedBy: NO_KINDS };
    switch (provider.kind) {
      case 'value':
        return { ...base, lifetime: 'singleton', keeps: 'singleton' };
      case 'external': {
        const kind = provider.source.carriedBy;
        const carriedBy = kind === 'any' ? NO_KINDS : new Set([kind]);
        return { ...base, lifetime: 'request', keeps: 'request', carriedBy };
      }
      case 'lazy':
        this.#lazyTargets.push(this.#follow(provider.of));
        return { ...base, lifetime: 'singleton', keeps: 'singleton' };
      default: {
        const { lifetime, needs } = provider;
        const edges = this.#edges(needs);
        if (!edges) return undefined;
        const keeps = shortest(edges);
        if (LENGTH[keeps] < LENGTH[lifetime] && lifetime !== 'transient') {
          return this.#reportCaptures({ ...base, lifetime, edges, keeps });
        }
        return {
          ...base,
          lifetime,
          edges,
          keeps: lifetime === 'transient' ? keeps : lifetime,
          carriedBy: union(edges),
        };
      }
    }
  }

  #edges(needs: readonly Need[]): Edge[] | undefined {
    const edges: Edge[] = [];
    for (const need of needs) {
      const node = this.#visit(need);
      if (node) edges.push({ need, node });
    }
    return edges.length === needs.length ? edges : undefined;
  }

  #follow(of: () => Key): () => void {
    const trail = [...this.#trail];
    return () => {
      this.#trail = trail;
      this.#addedBefore = trail.length;
      const target = this.#visit({ key: of() });
      if (target && target.lifetime !== 'singleton') this.#reachesScopesLazily = true;
    };
  }

  #checkKind(edge: Edge, kind: ScopeKind): void {
    for (const wanted of edge.node.carriedBy) {
      if (wanted === kind) continue;
      const found = pathsTo(
        edge,
        ({ provider }) => provider.kind === 'external' && provider.source.carriedBy === wanted,
      );
      for (const path of found) {
        this.#report(
          'TA112',
          `${path.at(-1)!.name} exists only during ${describeKind(wanted)}`,
          kind === 'task'
            ? 'A task outlives its request: put what it needs into its payload or arguments.'
            : `Ask for it where ${describeKind(wanted)} is, or reach it there with lazy().`,
          path,
        );
      }
    }
  }

  #reportCaptures(node: Node): undefined {
    const found = pathsTo(
      { node, need: { key: node.key } },
      ({ lifetime }) => LENGTH[lifetime] < LENGTH[node.lifetime],
      ({ lifetime }) => lifetime === 'transient',
    );
    for (const path of found) {
      const culprit = path.at(-1)!.node;
      this.#report(
        'TA111',
        `${node.name} lives for ${describeLife(node.lifetime)} and would keep ${culprit.name}, which lives for ${describeLife(culprit.lifetime)}`,
        `Ask for ${culprit.name} where it is used (a handler parameter), reach it with lazy(), or give ` +
          `${node.name} the scope '${culprit.lifetime}'.`,
        path.slice(1),
      );
    }
  }

  #reportCycle(open: number, need: Need): undefined {
    const hops = [...this.#trail.slice(open), new TrailHop(need.key as Key, need)];
    this.faults.push(
      new InjectionError(
        'TA110',
        hops,
        'it needs itself',
        'Move what both need into a third class, or break the cycle with lazy().',
      ),
    );
  }

  #report(
    code: InjectionCode,
    problem: string,
    remedy: string,
    below: readonly Found[] = [],
  ): undefined {
    const hops = [...this.#trail, ...below];
    // A task's plan has the name of its class: said once.
    if (hops.length > 1 && hops[0]!.name === hops[1]!.name) hops.shift();
    this.faults.push(new InjectionError(code, hops, problem, remedy));
  }
}

/**
 * Every key that needs lead to, each once, in the order in which they are asked for. Follows what was
 * provided or overridden; what is reached with `lazy()`, and what cannot be built, ends the way.
 */
export function reach(needs: readonly Need[], providers: Providers): Key[] {
  const reached = new Set<Key>();
  const visit = ({ key }: Need): void => {
    if (key instanceof Unusable || reached.has(key)) return;
    reached.add(key);
    const provider = providers.find(key) ?? defaultProvider(key);
    if (provider instanceof Unusable) return;
    if (provider.kind === 'alias') visit({ key: provider.to });
    else if ('needs' in provider) provider.needs.forEach(visit);
  };
  needs.forEach(visit);
  return [...reached];
}

/** A hop whose label is looked for when it is shown. */
class TrailHop implements Hop {
  readonly key: Key;
  readonly #need: Need;

  constructor(key: Key, need: Need) {
    this.key = key;
    this.#need = need;
  }

  get name(): string {
    return nameOf(this.key);
  }

  get label(): string | undefined {
    return this.#need.label;
  }
}

function shortest(edges: readonly Edge[]): Lifetime {
  let shortest: Lifetime = 'transient'; // no limit, if there are no edges
  for (const { node } of edges) if (LENGTH[node.keeps] < LENGTH[shortest]) shortest = node.keeps;
  return shortest;
}

function union(edges: readonly Edge[]): ReadonlySet<ScopeKind> {
  let union = NO_KINDS;
  for (const { node } of edges) {
    if (node.carriedBy.size === 0 || node.carriedBy === union) continue;
    union = union.size === 0 ? node.carriedBy : new Set([...union, ...node.carriedBy]);
  }
  return union;
}

function describeLife(lifetime: Lifetime): string {
  return lifetime === 'singleton' ? 'the whole app' : `one ${lifetime}`;
}

function describeKind(kind: ScopeKind): string {
  return kind === 'http' ? 'an HTTP request' : `a ${kind}`;
}

interface Found extends Hop {
  readonly node: Node;
}

/** The shortest ways down from a node to those that match, both included. */
function pathsTo(
  { node: from, need }: Edge,
  matches: (node: Node) => boolean,
  passes: (node: Node) => boolean = () => true,
): Found[][] {
  const found: Found[][] = [];
  const seen = new Set<Node>([from]);
  const queue: Found[][] = [[{ node: from, name: from.name, label: need.label }]];
  for (let path; (path = queue.shift());) {
    const { node: last } = path.at(-1)!;
    if (matches(last)) found.push(path);
    if (last !== from && !passes(last)) continue;
    for (const edge of last.edges) {
      if (seen.has(edge.node)) continue;
      seen.add(edge.node);
      queue.push([...path, { node: edge.node, name: edge.node.name, label: edge.need.label }]);
    }
  }
  return found;
}
