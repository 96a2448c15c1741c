import { toMilliseconds, type Duration } from '@thereafter/tasks';
import type { Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { Reply } from '../response/reply.ts';

/** Asks something that the app cannot do without. Throws, or rejects, when it does not answer. */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** What `health()` takes. */
export interface HealthOptions {
  /** What must answer for the app to be ready, by name; default nothing. */
  readonly checks?: Readonly<Record<string, HealthCheck>>;
  /** Longest wait for a check, whose signal then aborts; default `'2s'`. */
  readonly timeout?: Duration;
  /** Default `/livez`. */
  readonly livePath?: string;
  /** Default `/readyz`. */
  readonly readyPath?: string;
}

/**
 * Says whether the process lives, and whether it should be sent requests: not when a check fails, and
 * not from the moment when the app begins to close. Answers 200 or 503 with the state of each check,
 * but not with why it failed: that is logged, once until it has recovered. Add it before what refuses
 * requests.
 */
export function health(options: HealthOptions = {}): Middleware {
  const { checks = {}, timeout = '2s', livePath = '/livez', readyPath = '/readyz' } = options;
  const timeoutMs = toMilliseconds(timeout);
  const failing = new Set<string>();

  /** Whether a check passes. */
  async function passes(name: string, check: HealthCheck, ctx: Context): Promise<boolean> {
    try {
      await within(timeoutMs, check);
      failing.delete(name);
      return true;
    } catch (error) {
      if (!failing.has(name)) ctx.log.error({ err: error, check: name }, 'a health check failed');
      failing.add(name);
      return false;
    }
  }

  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    if (ctx.path === livePath) return toReply(200, { status: 'ok' });
    if (ctx.path !== readyPath) return next();
    if (ctx.isClosing) return toReply(503, { status: 'draining' });
    const results = await Promise.all(
      Object.entries(checks).map(
        async ([name, check]) => [name, await passes(name, check, ctx)] as const,
      ),
    );
    const isReady = results.every(([, passed]) => passed);
    return toReply(isReady ? 200 : 503, {
      status: isReady ? 'ok' : 'failed',
      checks: Object.fromEntries(results.map(([name, ok]) => [name, ok ? 'ok' : 'failed'])),
    });
  };
}

async function within(timeoutMs: number, check: HealthCheck): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs);
  const { promise, reject } = Promise.withResolvers<never>();
  const onTimeout = (): void => reject(signal.reason as Error); // a DOMException
  signal.addEventListener('abort', onTimeout);
  try {
    await Promise.race([promise, check(signal)]);
  } finally {
    signal.removeEventListener('abort', onTimeout);
  }
}

function toReply(status: number, state: object): Reply {
  const headers = new Headers({ 'cache-control': 'no-store' });
  return new Reply(status, 'application/json', JSON.stringify(state), headers);
}
