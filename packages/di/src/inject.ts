import { describeCopies, otherCopy } from './copies.ts';
import { InjectionError, ResolutionError } from './errors.ts';
import { nameOf, type Class, type Gives, type Key, type Source } from './token.ts';

/** What answers `inject()` while something is being built. */
export interface Resolver {
  resolveNow(key: Key): unknown;
}

let current: Resolver | undefined;

/** Makes `resolver` answer `inject()`; give the result back to `setResolver` when done. */
export function setResolver(resolver: Resolver | undefined): Resolver | undefined {
  const previous = current;
  current = resolver;
  return previous;
}

/**
 * Asks for a dependency inside a field initialiser, a constructor or a dependency function, helpers that
 * they call included. Works with every compiler, since it needs no decorator metadata.
 *
 * @throws {ResolutionError} `TA122` when no container is building: after an `await`, or in a plain `new`;
 *   `TA123` when the value has to be waited for; `TA124` when it needs who asks.
 * @throws {InjectionError} `TA111` when a singleton asks for what lives in a scope; `TA113` when another copy
 *   of this package may be building.
 * @throws {InvalidContainerError} `TA100` when it cannot be built.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
export function inject<X extends Source<any> | Class<any>>(source: X): Gives<X> {
  if (!current) {
    const copy = otherCopy();
    if (copy !== undefined) {
      const { problem, remedy } = describeCopies(copy);
      const name = nameOf(source);
      throw new InjectionError(
        'TA113',
        [{ name }],
        `nothing is being built here, and ${problem}`,
        remedy,
      );
    }
    throw new ResolutionError(
      'TA122',
      'inject() works only while the container builds something: in a field initialiser, a constructor ' +
        'or the first synchronous part of a dependency. Let the container build the object instead of `new`.',
    );
  }
  return current.resolveNow(source as unknown as Key) as Gives<X>; // every source is an object with a kind
}
