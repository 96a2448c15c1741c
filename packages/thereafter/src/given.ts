import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { distance } from './nearest.ts';

// What TypeScript says of a wrong argument, for programs that it has not looked at.

type KindName =
  | 'a text'
  | 'true or false'
  | 'false'
  | 'a number from 0'
  | 'a status from 200 to 599'
  | 'a function'
  | 'a list'
  | 'an object'
  | 'a duration';

/** What a value may be; one of several. */
export type Kind = KindName | readonly KindName[];

const KINDS: Readonly<Record<KindName, (value: unknown) => boolean>> = {
  'a text': (value) => typeof value === 'string',
  'true or false': (value) => typeof value === 'boolean',
  false: (value) => value === false,
  'a number from 0': (value) => typeof value === 'number' && value >= 0,
  'a status from 200 to 599': (value) => {
    return Number.isInteger(value) && (value as number) >= 200 && (value as number) <= 599;
  },
  'a function': (value) => typeof value === 'function',
  'a list': (value) => Array.isArray(value),
  'an object': (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'a duration': isDuration,
};

/** @throws {ArgumentError} For a text that is none, which says how to write one. */
function isDuration(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  toMilliseconds(value as Duration);
  return true;
}

/**
 * Refuses a value of another kind.
 *
 * @param what - Names it, e.g. `The handler of GET /`.
 * @throws {ArgumentError} Saying what was wanted and what came.
 */
export function assertGiven(what: string, value: unknown, kind: Kind): void {
  const kinds: readonly KindName[] = [kind].flat();
  if (kinds.some((each) => KINDS[each](value))) return;
  throw new ArgumentError(`${what} must be ${kinds.join(' or ')}, and is ${shown(value)}.`);
}

/**
 * Refuses options of another kind, and those that nobody knows. What is `undefined` was not given.
 *
 * @throws {ArgumentError} For the first of them; for an unknown one with the nearest name.
 */
export function assertOptions(
  what: string,
  options: unknown,
  kinds: Readonly<Record<string, Kind>>,
): void {
  assertGiven(`The options of ${what}`, options, 'an object');
  for (const [name, value] of Object.entries(options as object)) {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const [nearest] = Object.keys(kinds).toSorted(
        (a, b) => distance(name, a) - distance(name, b),
      );
      throw new ArgumentError(`${what} has no option '${name}'. Did you mean '${nearest}'?`);
    }
    if (value !== undefined) assertGiven(`The option '${name}' of ${what}`, value, kind);
  }
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null
    ? 'an object'
    : typeof value === 'function'
      ? 'a function'
      : String(value);
}
