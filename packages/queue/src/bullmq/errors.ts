import { ThereafterError } from '@thereafter/di';

/** Redis does not answer, or refuses. What was asked for may not have been done. */
export class RedisUnavailableError extends ThereafterError {
  readonly code = 'JOBS_REDIS_UNAVAILABLE';
  /** When trying again makes sense. */
  override readonly retryAfterSeconds = 1;

  constructor(wanted: string, cause: unknown) {
    super(
      `Cannot ${wanted}: Redis answers with "${messageOf(cause)}". Nothing is lost that was acknowledged, ` +
        'and the connection comes back by itself; check that Redis runs and can be reached.',
      { cause },
    );
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
