import { ResolutionError } from './errors.ts';
import type { Node } from './graph.ts';
import { setResolver, type Resolver } from './inject.ts';
import { makerOf } from './plan.ts';
import { disposal, generatorEnd, isGenerator, isPromise, type Teardown } from './teardown.ts';

/** Who builds: a container its singletons, a scope what lives in it. */
export interface Builder extends Resolver {
  /** What is being made at this moment, outermost first. */
  readonly making: Set<Node>;
  /** Takes note of how to end what was made. */
  note(node: Node, teardown: Teardown): void;
}

/**
 * Makes a value outside of a plan, from the values of what it needs.
 *
 * @throws {ResolutionError} `TA124` when its constructor asked, by `inject()` or `lazy().get()`, for
 *   something that needs itself. A plan has no such cycles: it knows its edges.
 */
export function build(node: Node, inputs: readonly unknown[], builder: Builder): unknown {
  const { making } = builder;
  if (making.has(node)) {
    const names = [...making, node].map(({ name }) => name);
    throw new ResolutionError(
      'TA124',
      `${node.name} asks for itself while it is being built (${names.join(' → ')}), through inject() or ` +
        'lazy().get(). Keep a lazy() and call its get() later, in a method.',
    );
  }
  making.add(node);
  const previous = setResolver(builder);
  try {
    return begin(node, makerOf(node, [...inputs.keys()])(inputs), builder);
  } finally {
    setResolver(previous);
    making.delete(node);
  }
}

/**
 * Passes on what was made, having noted how to end it. A generator is run up to its `yield`, whose
 * value is passed on.
 */
export function begin(node: Node, made: unknown, builder: Builder): unknown {
  if (node.provider.kind === 'class') {
    if (node.provider.isDisposable) builder.note(node, disposal(made as object));
    return made;
  }
  if (!isGenerator(made)) return made;
  const first = made.next();
  const yielded = (result: IteratorResult<unknown>): unknown => {
    if (result.done) {
      throw new TypeError(`The generator dependency ${node.name} ended without a yield.`);
    }
    builder.note(node, generatorEnd(made, node.name));
    return result.value;
  };
  return first instanceof Promise ? first.then(yielded) : yielded(first);
}

/**
 * The value that stands for one that has to be waited for. An instance of a class is never waited for,
 * even if it has a `then`, as query builders do.
 */
export function isPending(node: Node, value: unknown): value is Promise<unknown> {
  return node.provider.kind === 'class' ? value instanceof Promise : isPromise(value);
}
