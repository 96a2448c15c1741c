import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp, type App } from 'thereafter';
import { testApp, type TestResponse } from 'thereafter/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { timed } from '../../listings/guides/middleware/own.ts';
import { docs } from '../support/page.ts';
import { QUIET } from '../support/quiet.ts';

const listings = join(docs, 'listings/guides/middleware');
const sources = join(docs, '../packages/thereafter/src');
const guide = readFileSync(join(docs, 'guides/middleware.md'), 'utf8');
const sections = new Map(
  guide
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
);
const names = readdirSync(listings)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replace('.ts', ''));

describe('the middleware guide', () => {
  it('has a section for each listing, and no other', () => {
    expect([...sections.keys()].toSorted()).toEqual(names.toSorted());
  });

  it.each(names)('names every option of %s', (name) => {
    const file = { 'client-address': 'app', redirect: 'response/redirect' }[name];
    let source = '';
    try {
      source = readFileSync(join(sources, `${file ?? `middleware/${name}`}.ts`), 'utf8');
    } catch {
      // a section of no file
    }
    const [, members = ''] = /^export interface \w+Options \{(.*?)^\}/ms.exec(source) ?? [];
    const options = [...members.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option]) => option!);
    const described = name === 'client-address' ? ['trustProxy'] : options;
    const section = sections.get(name)!;
    expect(described.filter((option) => !section.includes(`\`${option}\``))).toEqual([]);
  });
});

/** An answer as it came: nothing decoded, no redirect followed. */
interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly cookies: readonly string[];
  readonly body: string;
}

type Check = (
  ask: (path: string, headers?: Record<string, string>, method?: string) => Promise<Answer>,
) => Promise<void>;

async function toAnswer(response: TestResponse): Promise<Answer> {
  const { status, headers } = response;
  return {
    status,
    headers: Object.fromEntries(headers),
    cookies: headers.getSetCookie(),
    body: await response.text(),
  };
}

/** What each listing does when it is run. */
const checks: Record<string, Check> = {
  async own(ask) {
    expect((await ask('/')).headers['server-timing']).toMatch(/^app;dur=[\d.]+$/);
  },
  async order(ask) {
    const { status, headers, body } = await ask('/', { origin: 'https://app.example' });
    expect([status, body]).toEqual([200, 'hello']);
    expect(headers).toMatchObject({
      'x-request-id': expect.any(String),
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': 'https://app.example',
      ratelimit: expect.any(String),
      etag: expect.any(String),
    });
    expect((await ask('/assets/style.css')).headers['content-type']).toMatch(/^text\/css/);
    expect((await ask('/readyz')).status).toBe(200);
    expect((await ask('/metrics')).body).toContain('http_server_request_duration');
  },
  async cors(ask) {
    const { headers } = await ask('/', { origin: 'https://app.example' });
    expect(headers['access-control-allow-credentials']).toBe('true');
  },
  async compress(ask) {
    const { headers } = await ask('/report', { 'accept-encoding': 'gzip, br' });
    expect(headers['content-encoding']).toBe('br');
  },
  async etag(ask) {
    const { headers } = await ask('/prices');
    expect((await ask('/prices', { 'if-none-match': headers['etag']! })).status).toBe(304);
  },
  async static(ask) {
    const { headers, body } = await ask('/assets/style.css');
    expect(headers['cache-control']).toBe('public, max-age=3600');
    expect(body).toContain('teal');
  },
  async 'security-headers'(ask) {
    const rows = sections.get('security-headers')!.matchAll(/^\| `([\w-]+)` +\| `([^`]+)` +\|/gm);
    const defaults = Object.fromEntries([...rows].map(([, name, value]) => [name!, value!]));
    const { 'strict-transport-security': transport, ...others } = defaults;
    expect(transport).toContain('max-age');
    const { headers } = await ask('/');
    expect(headers).toMatchObject({ ...others, 'x-frame-options': 'DENY' });
    expect(headers).not.toHaveProperty('strict-transport-security');
    expect(Object.keys(defaults)).toHaveLength(11);
  },
  async 'request-id'(ask) {
    const { headers, body } = await ask('/', { 'x-request-id': 'abc' });
    expect([headers['x-request-id'], body]).toEqual(['abc', 'abc']);
  },
  async health(ask) {
    expect((await ask('/readyz')).body).toContain('"database":"ok"');
  },
  async 'access-log'(ask) {
    expect((await ask('/livez')).headers['x-request-id']).toEqual(expect.any(String));
  },
  async cookies(ask) {
    const [theme] = (await ask('/theme', {}, 'POST')).cookies;
    expect(theme).toContain('Max-Age=31536000');
    expect((await ask('/theme', { cookie: 'theme=dark' })).body).toBe('dark');
    const [user] = (await ask('/login', {}, 'POST')).cookies;
    expect((await ask('/me', { cookie: user!.split(';')[0]! })).body).toBe('7');
    expect((await ask('/me', { cookie: '__Host-user=7.x' })).body).toBe('nobody');
  },
  async 'rate-limit'(ask) {
    expect((await ask('/login')).headers['ratelimit']).toContain('"login";r=4');
  },
  async idempotency(ask) {
    const key = { 'idempotency-key': '7f0e' };
    const first = await ask('/payments', key, 'POST');
    const again = await ask('/payments', key, 'POST');
    expect([first.body.toString(), again.body.toString()]).toEqual([
      '{"payment":1}',
      '{"payment":1}',
    ]);
    expect((await ask('/payments', {}, 'POST')).status).toBe(400);
  },
  async metrics(ask) {
    await ask('/orders', {}, 'POST');
    expect((await ask('/metrics')).body).toContain('shop_orders 1');
  },
  async telemetry(ask) {
    expect((await ask('/')).status).toBe(200);
  },
  async 'client-address'(ask) {
    const { body } = await ask('/', { 'x-forwarded-for': '203.0.113.9' });
    expect(body).toBe('203.0.113.9');
  },
  async redirect(ask) {
    expect((await ask('/login?next=/home')).headers['location']).toBe('/home');
    expect((await ask('/login?next=//evil.example')).status).toBe(400);
  },
};

describe('the listings of the middleware guide', () => {
  const apps = new Map<string, App>();

  beforeAll(async () => {
    apps.set(
      'own',
      createApp(QUIET)
        .use(timed)
        .get('/', () => 'hello'),
    );
    for (const name of names) {
      const module = (await import(join(listings, `${name}.ts`))) as { app?: App };
      if (module.app) apps.set(name, module.app);
    }
  });

  it.each(names)('do what they say: %s', async (name) => {
    await using t = await testApp(apps.get(name)!, { over: 'socket' }).start();
    expect(checks).toHaveProperty([name]);
    await checks[name]!(async (path, headers = {}, method = 'GET') =>
      toAnswer(await t.request(method, path, { headers })),
    );
  });
});
