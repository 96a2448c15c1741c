import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type TaskOptions } from '@thereafter/tasks';

/**
 * How long to wait after an attempt has failed, in milliseconds.
 *
 * @param attempt - The one that failed, from 1.
 * @param random - At least 0, less than 1.
 */
export type Backoff = (attempt: number, error: unknown, random: number) => number;

/**
 * The backoff of a task's option.
 *
 * @throws {ArgumentError} When a duration is not one, or the jitter is not a share.
 */
export function toBackoff(option: TaskOptions['backoff'] = 'exponential'): Backoff {
  if (typeof option === 'function') {
    return (attempt, error) => toMilliseconds(option(attempt, error));
  }
  if (option === 'fixed') return () => FIXED_MS;
  if (option === 'exponential') {
    return (attempt, _error, random) => shorten(grow(FIRST_MS, attempt, MAX_MS), 0.2, random);
  }
  const { type, delay, max = '1h', jitter = 0 } = option;
  if (!(jitter >= 0 && jitter <= 1)) {
    throw new ArgumentError(`The jitter of a backoff is a share from 0 to 1, and not ${jitter}.`);
  }
  const delayMs = toMilliseconds(delay);
  const maxMs = toMilliseconds(max);
  return (attempt, _error, random) => {
    const waitMs = type === 'fixed' ? Math.min(delayMs, maxMs) : grow(delayMs, attempt, maxMs);
    return shorten(waitMs, jitter, random);
  };
}

const FIXED_MS = 5000;
const FIRST_MS = 1000;
const MAX_MS = 3_600_000;

function grow(firstMs: number, attempt: number, maxMs: number): number {
  return Math.min(firstMs * 2 ** (attempt - 1), maxMs);
}

/** So that jobs that failed together do not all come back together. */
function shorten(waitMs: number, share: number, random: number): number {
  return Math.round(waitMs * (1 - share * random));
}

/**
 * When the error itself says to come back, in milliseconds from now: its `retryAfterMs`, or its
 * `retryAfterSeconds`, as the errors of a rate limit have it.
 */
export function retryAfterOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { retryAfterMs, retryAfterSeconds } = error as Record<string, unknown>;
  if (isWait(retryAfterMs)) return retryAfterMs;
  return isWait(retryAfterSeconds) ? retryAfterSeconds * 1000 : undefined;
}

function isWait(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity;
}
