import { ThereafterError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';

/**
 * Thrown by a job that comes back later: it did not fail, and the attempt does not count.
 *
 * @example if (!(await report.isReady())) throw new Snooze('10m');
 */
export class Snooze extends ThereafterError {
  readonly code = 'JOB_SNOOZED';
  readonly delayMs: number;

  /** @throws {TypeError} When the delay is not a duration. */
  constructor(delay: Duration) {
    super(`The job comes back in ${delay}.`);
    this.delayMs = toMilliseconds(delay);
  }
}
