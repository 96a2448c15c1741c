import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import { setResolver, type Resolver } from './inject.ts';
import { EMPTY, isDisposableClass, makerOf, type Plan, type Step } from './plan.ts';
import {
  disposal,
  generatorEnd,
  isGenerator,
  tearDown,
  type Failure,
  type Teardown,
} from './teardown.ts';
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
  /** The value of a singleton. */
  singleton(node: Node): unknown;
}

/**
 * The life of what is made for one request, one task run or one test: values are made at most once
 * in it, and ended in reverse order when it closes.
 */
export class Scope implements AsyncDisposable, Resolver {
  /** What the scope was opened with: an HTTP context, a job. */
  readonly carrier: unknown;
  readonly #owner: ScopeOwner;
  readonly #plan: Plan;
  readonly #slots: unknown[];
  /** Values of what the plan did not foresee. */
  #others: Map<Node, unknown> | undefined;
  #teardowns: Teardown[] | undefined;
  #handlerTeardowns: Teardown[] | undefined;
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
    const steps = this.#plan.steps;
    const previous = setResolver(this);
    try {
      for (let i = first; i < steps.length; i++) {
        const step = steps[i]!;
        if (slots[step.slot] !== EMPTY || (isInvalid && !step.read)) continue;
        const made = this.#perform(step);
        if (isPromise(made)) {
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
    return step.read ? step.read(this.carrier) : this.#keep(step.node, step.make(this.#slots));
  }

  /**
   * The value of a dependency in this scope.
   *
   * @throws {ResolutionError} `TA120` when the scope has ended.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  async get<X extends Source<any> | Class<any>>(source: X): Promise<Gives<X>> {
    const key = source as unknown as Key; // every source is an object with a kind
    return (await this.#resolve(this.#require(key))) as Gives<X>;
  }

  /** The value of a dependency that can be had without waiting; for `inject()` and `lazy()`. */
  resolveNow(key: Key): unknown {
    const node = this.#require(key);
    const value = this.#resolve(node);
    if (isPromise(value) && node.provider.kind !== 'class') {
      void value.then(undefined, () => undefined); // reported here, not as an unhandled rejection
      throw new ResolutionError(
        'TA123',
        `${nameOf(key)} is asynchronous and was not awaited yet: ask for it as a parameter or input, not with inject() or lazy().`,
      );
    }
    return value;
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
    if (node.lifetime === 'singleton') return this.#owner.singleton(node);
    const slot = this.#plan.slotOf(node);
    if (slot !== undefined && this.#slots[slot] !== EMPTY) return this.#slots[slot];
    if (this.#others?.has(node)) return this.#others.get(node);
    const value = this.#build(node);
    if (node.lifetime === 'transient') return value;
    this.#remember(node, value);
    if (isPromise(value)) {
      // A promise stands in for the value, so that two who ask at once share it.
      void value.then(
        (settled) => this.#remember(node, settled),
        () => undefined,
      );
    }
    return value;
  }

  #remember(node: Node, value: unknown): void {
    const slot = isPromise(value) ? undefined : this.#plan.slotOf(node);
    if (slot === undefined) (this.#others ??= new Map()).set(node, value);
    else this.#slots[slot] = value;
  }

  #build(node: Node): unknown {
    if (node.provider.kind === 'external') {
      return (node.provider.source.reader() as (carrier: unknown) => unknown)(this.carrier);
    }
    const inputs = inSequence(node.edges, (edge) => this.#resolve(edge.node));
    const make = (values: readonly unknown[]): unknown => {
      const previous = setResolver(this);
      try {
        return this.#keep(node, makerOf(node, [...values.keys()])(values));
      } finally {
        setResolver(previous);
      }
    };
    return isPromise(inputs) ? inputs.then((values) => make(values as unknown[])) : make(inputs);
  }

  /** Takes note of how to end what was just made. */
  #keep(node: Node, made: unknown): unknown {
    return keep(node, made, (teardown) => {
      if (node.lifetime === 'handler') (this.#handlerTeardowns ??= []).push(teardown);
      else (this.#teardowns ??= []).push(teardown);
    });
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
    if (teardowns) throwAny(await tearDown(teardowns, failure), this.name);
  }

  /**
   * Ends everything in reverse order of creation. A second call does nothing.
   *
   * @throws {AggregateError} What disposers threw, after all of them have run.
   */
  async close(failure?: Failure): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const failures = await tearDown(this.#handlerTeardowns ?? [], failure);
    failures.push(...(await tearDown(this.#teardowns ?? [], failure)));
    throwAny(failures, this.name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * Passes on what was made, having noted how to end it. A generator is run up to its `yield`, whose
 * value is passed on.
 */
export function keep(node: Node, made: unknown, note: (teardown: Teardown) => void): unknown {
  if (node.provider.kind === 'class') {
    if (isDisposableClass(node.provider.class)) note(disposal(made as AsyncDisposable));
    return made;
  }
  if (!isGenerator(made)) return made;
  const first = made.next();
  const yielded = (result: IteratorResult<unknown>): unknown => {
    if (result.done) {
      throw new TypeError(`The generator dependency ${node.name} ended without a yield.`);
    }
    note(generatorEnd(made));
    return result.value;
  };
  return isPromise(first)
    ? first.then((r) => yielded(r as IteratorResult<unknown>))
    : yielded(first);
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/** Visits one after another, waiting only where something has to be awaited. */
function inSequence<T>(
  items: readonly T[],
  visit: (item: T) => unknown,
  done: unknown[] = [],
): unknown[] | Promise<unknown[]> {
  for (let i = done.length; i < items.length; i++) {
    const value = visit(items[i]!);
    if (isPromise(value)) return value.then((v) => inSequence(items, visit, [...done, v]));
    done.push(value);
  }
  return done;
}

function throwAny(failures: readonly unknown[], scope: string): void {
  if (failures.length === 0) return;
  if (failures.length === 1) throw failures[0];
  throw new AggregateError(
    failures,
    `${failures.length} disposers failed in the scope of ${scope}`,
  );
}
