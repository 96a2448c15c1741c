import { ArgumentError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { isIPv6 } from 'node:net';
import { exchangeOf, type Context } from '../context.ts';
import type { Middleware } from '../middleware.ts';
import { Problem } from '../response/problem.ts';

/** What `rateLimit()` takes. */
export interface RateLimitOptions {
  /** How many requests a client may make within the window, and at once. */
  readonly limit: number;
  readonly window: Duration;
  /** Names the policy to clients; default `default`. Letters, digits, `-` and `_`. */
  readonly name?: string;
  /**
   * Who shares a quota; returns `undefined` for those who have no limit. Default the client's address, of IPv6 the
   * network of 64 bits, since that is what one client has.
   */
  readonly key?: (ctx: Context) => string | undefined;
  /** Who counts; default this process in memory, for itself. */
  readonly store?: RateLimitStore;
}

/** What a client may use. */
export interface Quota {
  readonly limit: number;
  readonly windowMs: number;
}

/** What is left of it. */
export interface QuotaState {
  readonly isAllowed: boolean;
  /** How many requests may follow now. */
  readonly remaining: number;
  /** Until the quota is whole again; for a refused request until the next one is allowed. */
  readonly resetMs: number;
}

/** Counts requests. An implementation that several processes share must count in one atomic step. */
export interface RateLimitStore {
  /** Takes one request from the quota of a key, unless it is used up. */
  take(key: string, quota: Quota): QuotaState | Promise<QuotaState>;
}

/** Too many requests. `violated-policies` names the limit. */
export class TooManyRequests extends Problem {
  override readonly status = 429;
  override readonly type = 'https://iana.org/assignments/http-problem-types#quota-exceeded';
  override readonly headers: Readonly<Record<string, string>>;
  override readonly extension: Readonly<Record<string, unknown>>;

  constructor(policy: string, retryAfterS: number) {
    super(`Try again in ${retryAfterS} s.`);
    this.headers = { 'retry-after': String(retryAfterS) };
    this.extension = { 'violated-policies': [policy] };
  }

  override get title(): string {
    return 'Request cannot be satisfied as assigned quota has been exceeded';
  }
}

/**
 * Refuses requests beyond a limit with 429 and `retry-after`. What was used comes back evenly over the
 * window, so that there is no moment at which everybody may begin again. Every answer tells what is
 * left in `ratelimit` and `ratelimit-policy`. When the store fails that is logged, and the request goes
 * on: a limit protects the app, and must not be what stops it.
 *
 * @throws {ArgumentError} For a limit that is not a whole number from 1, or a name of other characters.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/11/
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  const { limit, window, name = 'default', key = byAddress, store = memoryStore() } = options;
  const quota: Quota = { limit, windowMs: toMilliseconds(window) };
  if (!Number.isInteger(limit) || limit < 1) {
    throw new ArgumentError(`The limit of rateLimit() is a whole number from 1, and not ${limit}.`);
  }
  if (!/^[\w-]+$/.test(name)) {
    throw new ArgumentError(
      `The name of a limit has letters, digits, - and _ only, unlike '${name}'.`,
    );
  }
  const policy = `"${name}";q=${limit};w=${Math.ceil(quota.windowMs / 1000)}`;

  return async (ctx, next) => {
    const client = key(ctx);
    const state = client === undefined ? undefined : await takeFrom(store, client, quota, ctx);
    if (state === undefined) return next();
    const resetS = Math.ceil(state.resetMs / 1000);
    add(ctx, 'ratelimit-policy', policy);
    add(ctx, 'ratelimit', `"${name}";r=${state.remaining};t=${resetS}`);
    if (!state.isAllowed) throw new TooManyRequests(name, resetS);
    return next();
  };
}

async function takeFrom(
  store: RateLimitStore,
  client: string,
  quota: Quota,
  ctx: Context,
): Promise<QuotaState | undefined> {
  try {
    return await store.take(client, quota);
  } catch (error) {
    ctx.log.error({ err: error }, 'a rate limit could not be counted');
    return undefined;
  }
}

/** Several limits are several items of one list. */
function add(ctx: Context, name: string, item: string): void {
  const others = exchangeOf(ctx).res.getHeader(name);
  ctx.header(name, others === undefined ? item : `${others.toString()}, ${item}`);
}

function byAddress({ clientAddress }: Context): string {
  return isIPv6(clientAddress) ? networkOf(clientAddress) : clientAddress;
}

/** The first four groups of an IPv6 address. */
function networkOf(address: string): string {
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const groups = head === '' ? [] : head.split(':');
  const end = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : 8 - groups.length - end.length;
  const all = [...groups, ...Array<string>(Math.max(0, gap)).fill('0'), ...end];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

/** What `memoryStore()` takes. */
export interface MemoryStoreOptions {
  /** How many keys are remembered, default 100,000; beyond, who has not asked for longest is forgotten. */
  readonly maxKeys?: number;
  /** A clock in milliseconds that never goes back; default that of the process. */
  readonly now?: () => number;
}

/** Counts in this process: each process of a cluster has a quota of its own. */
export function memoryStore(options: MemoryStoreOptions = {}): RateLimitStore {
  const { maxKeys = 100_000, now = () => performance.now() } = options;
  /*
   * A bucket that fills again at an even rate is one number, the time at which it will be full (GCRA).
   * The order of the map is that of use.
   */
  const fullAtMs = new Map<string, number>();
  return {
    take(key, { limit, windowMs }) {
      const nowMs = now();
      const stepMs = windowMs / limit;
      const fullBeforeMs = Math.max(fullAtMs.get(key) ?? nowMs, nowMs);
      const fullAfterMs = fullBeforeMs + stepMs;
      const excessMs = fullAfterMs - nowMs - windowMs;
      // What fractions add up to is not exact.
      if (excessMs > EPSILON_MS) return { isAllowed: false, remaining: 0, resetMs: excessMs };
      fullAtMs.delete(key);
      fullAtMs.set(key, fullAfterMs);
      if (fullAtMs.size > maxKeys) fullAtMs.delete(fullAtMs.keys().next().value!); // not empty
      return {
        isAllowed: true,
        remaining: Math.floor((EPSILON_MS - excessMs) / stepMs),
        resetMs: fullAfterMs - nowMs,
      };
    },
  };
}

const EPSILON_MS = 1e-6;
