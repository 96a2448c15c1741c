import * as di from '@thereafter/di';
import type { Inputs, Values } from './inputs.ts';

type Made<V> = AsyncGenerator<V, void> | Generator<V, void>;

/** `dependency()` of the container, whose inputs may here be parts of the request too. */
export const dependency: {
  <const I extends Inputs, V>(
    inputs: I,
    make: (values: Values<I>) => Made<V>,
    options?: di.DependencyOptions,
  ): di.Dependency<V>;
  <const I extends Inputs, V>(
    inputs: I,
    make: (values: Values<I>) => Promise<V>,
    options?: di.DependencyOptions,
  ): di.Dependency<V>;
  <const I extends Inputs, V>(
    inputs: I,
    make: (values: Values<I>) => V,
    options?: di.DependencyOptions,
  ): di.Dependency<V>;
} = di.dependency as never; // the same function: only the type of its inputs is wider
