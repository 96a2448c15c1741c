import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import { setResolver } from './inject.ts';
import { EMPTY, recipeOf, type Keeper, type Step } from './step.ts';
import { isPromise } from './teardown.ts';
import { INVALID } from './token.ts';

/**
 * Takes steps in their order until every slot has its value. Synchronous unless a value has to be waited
 * for. Whatever the container makes, it makes here.
 *
 * After an input that is not valid nothing more is made, but the remaining ones are read.
 *
 * @param keeper - Whom the steps ask; `undefined` for steps that only read from the carrier.
 * @param finish - What to do in the end; not called when a step throws or rejects.
 * @returns What `finish` returns.
 */
export function execute<C, R>(
  steps: readonly Step[],
  slots: unknown[],
  carrier: C,
  keeper: Keeper | undefined,
  finish: (slots: readonly unknown[], carrier: C) => R,
  from = 0,
  isInvalid = false,
): R | Promise<R> {
  const previous = setResolver(keeper);
  try {
    for (let i = from; i < steps.length; i++) {
      const step = steps[i]!;
      let value = slots[step.slot];
      if (value === EMPTY) {
        if (isInvalid && !step.onlyReads) continue;
        value = step.give(slots, keeper!, carrier, step.node); // what reads the carrier needs no keeper
        slots[step.slot] = value; // also a promise: who asks meanwhile, with lazy() say, shares it
        if (step.isPlain) continue;
      }
      if (isPending(step.node, value)) {
        return executeAfter(value, steps, slots, carrier, keeper, finish, i, isInvalid);
      }
      if (value === INVALID) isInvalid = true;
    }
  } finally {
    setResolver(previous);
  }
  return finish(slots, carrier);
}

/** A function of its own, because variables that a closure captures cost more, even where it is not made. */
function executeAfter<C, R>(
  pending: Promise<unknown>,
  steps: readonly Step[],
  slots: unknown[],
  carrier: C,
  keeper: Keeper | undefined,
  finish: (slots: readonly unknown[], carrier: C) => R,
  at: number,
  isInvalid: boolean,
): Promise<R> {
  return pending.then((value) => {
    slots[steps[at]!.slot] = value;
    return execute(steps, slots, carrier, keeper, finish, at + 1, isInvalid || value === INVALID);
  });
}

/**
 * The value of a node for one keeper: the one that is kept, or else a new one.
 *
 * @returns The value, or a promise of it. `INVALID` when an input that it needs is.
 * @throws {ResolutionError} `TA124` when it is asked for while it is being made, by `inject()` or
 *   `lazy().get()`. What parameters and inputs ask for has no such cycles: the graph has none.
 */
export function obtain(node: Node, keeper: Keeper): unknown {
  const kept = keeper.kept(node);
  if (kept !== EMPTY) return kept;
  const { making } = keeper;
  if (making.has(node)) {
    const names = [...making, node].map(({ name }) => name);
    throw new ResolutionError(
      'TA124',
      `${node.name} asks for itself while it is being built (${names.join(' → ')}), through inject() or ` +
        'lazy().get(). Keep a lazy() and call its get() later, in a method.',
    );
  }
  making.add(node);
  let value: unknown;
  try {
    const steps = recipeOf(node);
    const slots: unknown[] = [];
    for (let i = 0; i < steps.length; i++) slots.push(EMPTY);
    value = execute(steps, slots, keeper.carrier, keeper, lastOf);
  } finally {
    making.delete(node);
  }
  if (node.lifetime === 'transient') return value;
  keeper.keep(node, value);
  if (isPending(node, value)) {
    value.then(
      (settled) => keeper.keep(node, settled),
      () => undefined, // whoever awaits it is told
    );
  }
  return value;
}

function lastOf(slots: readonly unknown[]): unknown {
  const value = slots.at(-1);
  return value === EMPTY ? INVALID : value; // nothing is made of what is not valid
}

/**
 * Whether a value has to be waited for. An instance of a class never has, even if it has a `then`, as query
 * builders do.
 */
export function isPending(node: Node, value: unknown): value is Promise<unknown> {
  return node.provider.kind === 'class' ? value instanceof Promise : isPromise(value);
}

/**
 * Passes on a value that can be had without waiting, for `inject()`, `lazy()` and `get()`.
 *
 * @throws {ResolutionError} `TA123` when it has to be waited for, `TA125` when it is not valid.
 */
export function available(node: Node, value: unknown): unknown {
  if (!isPending(node, value)) return valid(node, value);
  value.then(undefined, () => undefined); // what it rejects with is of no use to anybody now
  throw new ResolutionError(
    'TA123',
    `${node.name} is asynchronous and was not awaited yet: ask for it as a parameter or input, not with ` +
      'inject() or lazy(); a singleton that only get() asks for is to be named to start().',
  );
}

/** @throws {ResolutionError} `TA125` when it is not valid. */
export function valid(node: Node, value: unknown): unknown {
  if (value !== INVALID) return value;
  throw new ResolutionError('TA125', `${node.name} needs an input that is not valid.`);
}
