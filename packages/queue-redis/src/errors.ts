import { ThereafterError } from '@thereafter/queue/driver';

/** Redis does not answer, or refuses. What was asked for may not have been done. */
export class RedisUnavailableError extends ThereafterError {
  readonly code = 'JOBS_REDIS_UNAVAILABLE';
  /** When trying again makes sense. */
  override readonly retryAfterSeconds = 1;

  constructor(wanted: string, cause: unknown) {
    super(
      `Cannot ${wanted}: ${cause instanceof Error ? cause.message : String(cause)}. Nothing is lost that was acknowledged; check that Redis runs ` +
        'and can be reached. The connection comes back by itself.',
      { cause },
    );
  }
}
