import type { JobDriver } from '../driver.ts';

/** What the methods of a driver do that talk to the store. */
const OPERATIONS: ReadonlySet<string> = new Set([
  'start',
  'enqueue',
  'release',
  'get',
  'cancel',
  'retry',
  'remove',
  'counts',
  'queues',
  'list',
  'setProgress',
  'pause',
  'resume',
  'isPaused',
  'putSchedule',
  'removeSchedule',
  'schedules',
  'ticked',
] satisfies readonly (keyof JobDriver)[]);

/** A driver whose store fails when it is told to. */
export interface FaultyDriver {
  /** The one to give to the engine. */
  readonly driver: JobDriver;
  /** The names of the operations so far, the failed one included. */
  readonly operations: readonly string[];
  /** Whether the fault has happened. */
  readonly hasFailed: boolean;
}

/**
 * Wraps a driver so that one operation fails before it reaches the store: the first in one run of a test,
 * the second in the next, and so on until a run has none left that could fail.
 *
 * @param failAt - Which operation fails, from 1; with `Infinity` all succeed.
 * @param error - What it rejects with; default an error that says that the store is out of order.
 */
export function faulty(
  driver: JobDriver,
  failAt: number,
  error: Error = new Error('the store is out of order'),
): FaultyDriver {
  const operations: string[] = [];
  const wrapped = new Proxy(driver, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (!OPERATIONS.has(String(name))) return value.bind(target) as unknown;
      return (...args: readonly unknown[]): unknown => {
        operations.push(String(name));
        if (operations.length === failAt) return Promise.reject(error);
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
  return {
    driver: wrapped,
    operations,
    get hasFailed() {
      return operations.length >= failAt;
    },
  };
}
