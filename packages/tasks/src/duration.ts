import { ArgumentError } from '@thereafter/di';

/** A length of time in words: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'1d'`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * A duration in milliseconds.
 *
 * @throws {ArgumentError} When the text is not a duration, or negative.
 */
export function toMilliseconds(duration: Duration): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) ?? [];
  if (amount === undefined) {
    throw new ArgumentError(
      `'${duration}' is not a duration. Write a number and a unit: ms, s, m, h or d, as in '30s'.`,
    );
  }
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** The longest wait of a timer of Node: 24.8 days. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** A duration for a timer of Node, which takes 24.8 days at most and fires at once beyond. */
export function toTimeout(duration: Duration): number {
  return Math.min(toMilliseconds(duration), MAX_TIMER_MS);
}
