import { begin, build, isPending, type Builder } from './build.ts';
import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import { setResolver } from './inject.ts';
import { EMPTY, type Plan, type Step } from './plan.ts';
import { isPromise, tearDown, throwAny, type Failure, type Teardown } from './teardown.ts';
import {
  INVALID,
  nameOf,
  type Class,
  type Gives,
  type Key,
  type ScopeKind,
  type Source,
} from './token.ts';

/** What a scope needs of its container. */
export interface ScopeOwner {
  /** The node of a key that a scope of this kind can give. Throws when it cannot be built. */
  require(key: Key, kind: ScopeKind): Node;
  /** The value of a singleton, or a promise of it while it is being built. */
  singleton(node: Node): unknown;
  /** What `lazy()` gives: the current scope answers it, else this one. */
  lazily(of: () => Key, scope: Scope): unknown;
}

/**
 * The life of what is made for one request, one task run or one test: values are made at most once
 * in it, and ended in reverse order when it closes.
 */
export class Scope implements AsyncDisposable, Builder {
  /** What the scope was opened with: an HTTP context, a job. */
  readonly carrier: unknown;
  readonly #owner: ScopeOwner;
  readonly #plan: Plan;
  readonly #slots: unknown[];
  /** Values of what the plan did not foresee, and promises of what is not settled yet. */
  #others: Map<Node, unknown> | undefined = undefined;
  #making: Set<Node> | undefined = undefined;
  #teardowns: Teardown[] | undefined = undefined;
  #handlerTeardowns: Teardown[] | undefined = undefined;
  #hasEnded = false;

  constructor(owner: ScopeOwner, plan: Plan, carrier: unknown) {
    this.#owner = owner;
    this.#plan = plan;
    this.#slots = plan.newSlots();
    this.carrier = carrier;
  }

  get name(): string {
    return this.#plan.name;
  }

  /**
   * Makes what the plan foresees, in its order; synchronous unless a step is not.
   *
   * @returns The slots, where the plan's outputs are.
   */
  run(): readonly unknown[] | Promise<readonly unknown[]> {
    return this.#runFrom(0, false);
  }

  #runFrom(first: number, isInvalid: boolean): readonly unknown[] | Promise<readonly unknown[]> {
    const slots = this.#slots;
    const { steps } = this.#plan;
    const previous = setResolver(this);
    try {
      for (let i = first; i < steps.length; i++) {
        const step = steps[i]!;
        if (slots[step.slot] !== EMPTY || (isInvalid && !step.read)) continue;
        if (step.isPlain) {
          slots[step.slot] = step.make(slots);
          continue;
        }
        const made = this.#perform(step);
        if (isPending(step.node, made)) {
          // Who asks meanwhile, through lazy(), shares it. No step looks at it before it is settled.
          slots[step.slot] = made;
          return made.then((value) => {
            slots[step.slot] = value;
            return this.#runFrom(i + 1, isInvalid || value === INVALID);
          });
        }
        if (made === INVALID) isInvalid = true;
        slots[step.slot] = made;
      }
    } finally {
      setResolver(previous);
    }
    return slots;
  }

  #perform(step: Step): unknown {
    if (step.read) return step.read(this.carrier);
    return begin(step.node, step.make(this.#slots), this);
  }

  /**
   * The value of a dependency in this scope.
   *
   * @throws {ResolutionError} `TA120` when the scope has ended.
   * @throws {InvalidContainerError} `TA100` when it cannot be built.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  async get<X extends Source<any> | Class<any>>(source: X): Promise<Gives<X>> {
    const node = this.#require(source as unknown as Key); // every source is an object with a kind
    return valid(node, await this.#resolve(node)) as Gives<X>;
  }

  /** The value of a dependency that can be had without waiting; for `inject()` and `lazy()`. */
  resolveNow(key: Key): unknown {
    const node = this.#require(key);
    const value = this.#resolve(node);
    if (!isPending(node, value)) return valid(node, value);
    void value.then(undefined, () => undefined); // reported here, not as an unhandled rejection
    throw new ResolutionError(
      'TA123',
      `${nameOf(key)} is asynchronous and was not awaited yet: ask for it as a parameter or input, not with inject() or lazy().`,
    );
  }

  #require(key: Key): Node {
    if (this.#hasEnded) {
      throw new ResolutionError(
        'TA120',
        `${nameOf(key)} was asked of the scope of ${this.name}, which has ended. Ask for it before, or open a scope of your own.`,
      );
    }
    return this.#owner.require(key, this.#plan.kind);
  }

  #resolve(node: Node): unknown {
    if (node.provider.kind === 'lazy') return this.#owner.lazily(node.provider.of, this);
    if (node.lifetime === 'singleton') return this.#owner.singleton(node);
    const slot = this.#plan.slotOf(node);
    if (slot !== undefined && this.#slots[slot] !== EMPTY) return this.#slots[slot];
    if (this.#others?.has(node)) return this.#others.get(node);
    const value = this.#build(node);
    if (node.lifetime === 'transient') return value;
    this.#remember(node, value);
    if (isPending(node, value)) {
      // A promise stands in for the value, so that two who ask at once share it.
      void value.then(
        (settled) => this.#remember(node, settled),
        () => undefined,
      );
    }
    return value;
  }

  #remember(node: Node, value: unknown): void {
    const slot = isPending(node, value) ? undefined : this.#plan.slotOf(node);
    if (slot === undefined) (this.#others ??= new Map()).set(node, value);
    else this.#slots[slot] = value;
  }

  #build(node: Node): unknown {
    if (node.provider.kind === 'external') {
      return (node.provider.source.reader() as (carrier: unknown) => unknown)(this.carrier);
    }
    const inputs = inSequence(node.edges, (edge) => this.#resolve(edge.node));
    const make = (values: readonly unknown[]): unknown =>
      values.includes(INVALID) ? INVALID : build(node, values, this);
    return inputs instanceof Promise ? inputs.then(make) : make(inputs);
  }

  /** @internal */
  get making(): Set<Node> {
    return (this.#making ??= new Set());
  }

  /** @internal */
  note(node: Node, teardown: Teardown): void {
    if (node.lifetime === 'handler') (this.#handlerTeardowns ??= []).push(teardown);
    else (this.#teardowns ??= []).push(teardown);
  }

  /** Whether something would have to be ended if the handler returned now. */
  get hasHandlerTeardowns(): boolean {
    return this.#handlerTeardowns !== undefined;
  }

  /** Whether something has to be ended when the scope closes. */
  get hasTeardowns(): boolean {
    return this.#teardowns !== undefined || this.#handlerTeardowns !== undefined;
  }

  /**
   * Ends what lives no longer than the handler, before the response is sent.
   *
   * @param failure - What the handler threw, if it did.
   * @throws What the clean-up threw, so that a failed commit is not answered with success.
   */
  async closeHandler(failure?: Failure): Promise<void> {
    const teardowns = this.#handlerTeardowns;
    this.#handlerTeardowns = undefined;
    if (teardowns) throwAny(await tearDown(teardowns, failure), `the scope of ${this.name}`);
  }

  /**
   * Ends everything in reverse order of creation. A second call does nothing.
   *
   * @param failure - What the handler threw, if it did: generators see it at their `yield`.
   * @throws What a disposer threw, an AggregateError if several did; all of them have run.
   */
  close(failure?: Failure): Promise<void> {
    this.#hasEnded = true;
    if (!this.hasTeardowns) return DONE;
    const teardowns = this.#teardowns ?? [];
    // What lives shorter was made of what lives longer: it goes first.
    if (this.#handlerTeardowns) teardowns.push(...this.#handlerTeardowns);
    this.#teardowns = this.#handlerTeardowns = undefined;
    const ended = tearDown(teardowns, failure);
    if (!isPromise(ended) && ended.length === 0) return DONE;
    return Promise.resolve(ended).then((failures) =>
      throwAny(failures, `the scope of ${this.name}`),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** For the most scopes, which have nothing to end: no promise is made. */
const DONE: Promise<void> = Promise.resolve();

function valid(node: Node, value: unknown): unknown {
  if (value !== INVALID) return value;
  throw new ResolutionError('TA125', `${node.name} needs an input that is not valid.`);
}

/** Visits one after another, waiting only where something has to be awaited. */
function inSequence<T extends { readonly node: Node }>(
  items: readonly T[],
  visit: (item: T) => unknown,
  done: unknown[] = [],
): unknown[] | Promise<unknown[]> {
  for (let i = done.length; i < items.length; i++) {
    const value = visit(items[i]!);
    if (isPending(items[i]!.node, value)) {
      return value.then((settled) => inSequence(items, visit, [...done, settled]));
    }
    done.push(value);
  }
  return done;
}
