import { createApp, NotFound } from 'thereafter';
import {
  memoryStore,
  rateLimit,
  TooManyRequests,
  type RateLimitOptions,
} from 'thereafter/rate-limit';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

function limited(options: Partial<RateLimitOptions> = {}) {
  const clock = { nowMs: 0 };
  const store = memoryStore({ now: () => clock.nowMs });
  const { logger, lines } = capturedLog();
  const app = createApp({ ...QUIET, logger, trustProxy: 1 })
    .use(rateLimit({ limit: 3, window: '30s', store, ...options }))
    .get('/', () => 'hello')
    .get('/missing', () => {
      throw new NotFound();
    });
  return { app, clock, lines };
}

const from = (address: string) => ({ 'x-forwarded-for': address });

describe('rateLimit', () => {
  it('tells what is left, and refuses what is beyond', async () => {
    await using server = await serve(limited().app);
    const left: unknown[] = [];
    for (let i = 0; i < 4; i++) {
      const { status, headers } = await get(server, '/');
      expect(headers['ratelimit-policy']).toBe('"default";q=3;w=30');
      left.push([status, headers['ratelimit']]);
    }
    expect(left).toEqual([
      [200, '"default";r=2;t=10'],
      [200, '"default";r=1;t=20'],
      [200, '"default";r=0;t=30'],
      [429, '"default";r=0;t=10'],
    ]);
  });

  it('answers a problem that says when to try again', async () => {
    await using server = await serve(limited({ limit: 1 }).app);
    await get(server, '/');
    const { status, headers, body } = await get(server, '/');
    expect([status, headers['retry-after']]).toEqual([429, '30']);
    expect(JSON.parse(body.toString())).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      status: 429,
      detail: 'Try again in 30 s.',
      'violated-policies': ['default'],
    });
    expect(new TooManyRequests('default', 30).status).toBe(429);
  });

  it('gives back evenly what was used', async () => {
    const { app, clock } = limited();
    await using server = await serve(app);
    const ask = async () => (await get(server, '/')).status;
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
    clock.nowMs += 9999;
    expect(await ask()).toBe(429);
    clock.nowMs += 1;
    expect([await ask(), await ask()]).toEqual([200, 429]);
    clock.nowMs += 60_000;
    expect([await ask(), await ask(), await ask(), await ask()]).toEqual([200, 200, 200, 429]);
  });

  it('counts errors, and says on them too what is left', async () => {
    await using server = await serve(limited().app);
    const { status, headers } = await get(server, '/missing');
    expect([status, headers['ratelimit']]).toEqual([404, '"default";r=2;t=10']);
  });

  it('keeps clients apart by address, and IPv6 by network', async () => {
    await using server = await serve(limited({ limit: 1 }).app);
    const ask = async (address: string) => (await get(server, '/', from(address))).status;
    expect(await ask('203.0.113.1')).toBe(200);
    expect(await ask('203.0.113.2')).toBe(200);
    expect(await ask('203.0.113.1')).toBe(429);
    expect(await ask('2001:db8:1:2::1')).toBe(200);
    expect(await ask('2001:0db8:1:2:ffff::9')).toBe(429);
    expect(await ask('2001:db8:1:3::1')).toBe(200);
    expect(await ask('2001:db8::1')).toBe(200);
    expect(await ask('2001:db8:0:0:7::')).toBe(429);
    expect(await ask('::1')).toBe(200);
  });

  it('counts by another key, and not at all without one', async () => {
    const key: RateLimitOptions['key'] = (ctx) => ctx.headers['x-key']?.toString();
    await using server = await serve(limited({ limit: 1, key }).app);
    const ask = async (headers = {}) => (await get(server, '/', headers)).status;
    expect([await ask({ 'x-key': 'a' }), await ask({ 'x-key': 'b' })]).toEqual([200, 200]);
    expect(await ask({ 'x-key': 'a' })).toBe(429);
    expect([await ask(), await ask()]).toEqual([200, 200]);
  });

  it('lists several limits', async () => {
    const { app } = limited();
    app.use(rateLimit({ limit: 100, window: '1h', name: 'hourly' }));
    await using server = await serve(app);
    const { headers } = await get(server, '/');
    expect(headers['ratelimit-policy']).toBe('"default";q=3;w=30, "hourly";q=100;w=3600');
    expect(headers['ratelimit']).toMatch(/^"default";r=2;t=10, "hourly";r=99;t=\d+$/);
  });

  it('lets requests through, and says so in the log, while its store fails', async () => {
    const store = { take: () => Promise.reject(new Error('store down')) };
    const { app, lines } = limited({ store });
    await using server = await serve(app);
    expect((await get(server, '/')).status).toBe(200);
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'a rate limit could not be counted' }),
    );
  });

  it('refuses limits that make no sense, at start', () => {
    for (const limit of [0, 1.5, -1, Number.NaN]) {
      expect(() => rateLimit({ limit, window: '1s' })).toThrow(/whole number/);
    }
    expect(() => rateLimit({ limit: 1, window: '1s', name: 'a"b' })).toThrow(/letters/);
  });
});

describe('memoryStore', () => {
  it('forgets who has not asked for longest when it is full', async () => {
    const store = memoryStore({ maxKeys: 2, now: () => 0 });
    const quota = { limit: 1, windowMs: 1000 };
    const allows = async (key: string) => (await store.take(key, quota)).isAllowed;
    expect([await allows('a'), await allows('b'), await allows('a')]).toEqual([true, true, false]);
    expect([await allows('c'), await allows('b'), await allows('a')]).toEqual([true, false, true]);
  });

  it('has exactly as many in a window as the limit says, whatever it is', async () => {
    for (const limit of [3, 7, 10, 333, 1000]) {
      const store = memoryStore({ now: () => 12_345.678 });
      let allowed = 0;
      while ((await store.take('a', { limit, windowMs: 1000 })).isAllowed) allowed++;
      expect(allowed).toBe(limit);
    }
  });
});
