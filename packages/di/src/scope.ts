import { available, execute, obtain, valid } from './execute.ts';
import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import type { Plan } from './plan.ts';
import { EMPTY, type Keeper } from './step.ts';
import { isPromise, tearDown, throwAny, type Failure, type Teardown } from './teardown.ts';
import { nameOf, type Class, type Gives, type Key, type ScopeKind, type Source } from './token.ts';

/** What a scope needs of its container. */
export interface ScopeOwner {
  /** The node of a key that a scope of this kind can give. Throws when it cannot be built. */
  require(key: Key, kind: ScopeKind): Node;
  /** The value of a singleton, or a promise of it while it is being built. */
  valueOf(singleton: Node): unknown;
  /** What `lazy()` gives: the current scope answers it, else this one. */
  lazily(of: () => Key, scope: Scope): unknown;
}

/**
 * The life of what is made for one request, one task run or one test: values are made at most once
 * in it, and ended in reverse order when it closes.
 */
export class Scope implements AsyncDisposable, Keeper {
  /** What the scope was opened with: an HTTP context, a job. */
  readonly carrier: unknown;
  readonly #owner: ScopeOwner;
  readonly #plan: Plan;
  readonly #slots: unknown[];
  /** Values of what the plan did not foresee. */
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

  /** The name of its plan, for error messages. */
  get name(): string {
    return this.#plan.name;
  }

  /**
   * Makes what the plan foresees, in its order; synchronous unless a step is not.
   *
   * @returns The slots: the values of the entry points are at `plan.entries`. When an input was not valid,
   *   what needs it has no value there.
   * @throws What a step threw; what was made before is ended by `close()`.
   */
  run(): readonly unknown[] | Promise<readonly unknown[]> {
    return execute(this.#plan.steps, this.#slots, this.carrier, this, itself);
  }

  /**
   * The value of a dependency in this scope, made if it is not there yet.
   *
   * @throws {ResolutionError} `TA120` when the scope has ended, `TA125` when an input is not valid.
   * @throws {InvalidContainerError} `TA100` when it cannot be built.
   * @throws What making it threw.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  async get<X extends Source<any> | Class<any>>(source: X): Promise<Gives<X>> {
    const node = this.#require(source as unknown as Key); // every source is an object with a kind
    return valid(node, await this.valueOf(node)) as Gives<X>;
  }

  /**
   * The value of a dependency that can be had without waiting; for `inject()` and `lazy()`.
   *
   * @internal
   */
  resolveNow(key: Key): unknown {
    const node = this.#require(key);
    return available(node, this.valueOf(node));
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

  /** @internal */
  valueOf(node: Node): unknown {
    if (node.provider.kind === 'lazy') return this.lazily(node.provider.of);
    return node.lifetime === 'singleton' ? this.#owner.valueOf(node) : obtain(node, this);
  }

  /** @internal */
  kept(node: Node): unknown {
    const slot = this.#plan.slotOf(node);
    if (slot !== undefined) return this.#slots[slot];
    return this.#others?.has(node) ? this.#others.get(node) : EMPTY;
  }

  /** @internal */
  keep(node: Node, value: unknown): void {
    const slot = this.#plan.slotOf(node);
    if (slot === undefined) (this.#others ??= new Map()).set(node, value);
    else this.#slots[slot] = value;
  }

  /** @internal */
  lazily(of: () => Key): unknown {
    return this.#owner.lazily(of, this);
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
   * @throws What a disposer threw, a `SeveralFailedError` (`TA131`) if several did; all of them have run.
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

/** For most scopes, which have nothing to end: no promise is made. */
const DONE: Promise<void> = Promise.resolve();

const itself = (slots: readonly unknown[]): readonly unknown[] => slots;
