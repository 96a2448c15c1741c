import fc from 'fast-check';
import { request } from 'node:https';
import { json } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createApp, type TrustProxy } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { askedOf, createProxyTrust } from '../../src/socket/forwarded.ts';
import { rawClient } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';
import { CERT, KEY } from '../support/tls.ts';

/** What an app sees of a request that came over plain HTTP from 10.0.0.1 for `inner:3000`. */
function seen(trustProxy: TrustProxy, headers: Readonly<Record<string, string>>): object {
  const req = {
    socket: { remoteAddress: '10.0.0.1' },
    headers: { host: 'inner:3000', ...headers },
  };
  return askedOf(req as never, createProxyTrust(trustProxy)); // it asks for nothing else
}

const DIRECT = { address: '10.0.0.1', scheme: 'http', host: 'inner:3000' };

describe('who asks, and for which site,', () => {
  it('is what the connection says, whatever a client claims', () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-port': '1',
      forwarded: 'for=203.0.113.9;proto=https;host=evil.example',
    };
    expect(seen(0, headers)).toEqual(DIRECT);
    expect(seen(['192.168.0.0/16'], headers)).toEqual(DIRECT);
  });

  it.each<[TrustProxy, string, string]>([
    [1, '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    [2, '198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [9, '198.51.100.1, 203.0.113.9', '198.51.100.1'],
    [['10.0.0.1'], '198.51.100.1, 203.0.113.9', '203.0.113.9'],
    [['10.0.0.0/8', '203.0.113.0/24'], '198.51.100.1, ::ffff:203.0.113.9', '198.51.100.1'],
    [1, '203.0.113.9:5678', '203.0.113.9'],
    [1, '[2001:db8::1]:80', '2001:db8::1'],
    [1, '[2001:db8::1]', '2001:db8::1'],
    [1, '2001:db8::1', '2001:db8::1'],
    [9, '198.51.100.1, nonsense', '10.0.0.1'],
    [1, '203.0.113.9:99999', '10.0.0.1'],
    [1, '[203.0.113.9]:80', '10.0.0.1'],
    [1, '', '10.0.0.1'],
  ])('is with trust in %j and X-Forwarded-For: %s the address %s', (trust, value, address) => {
    expect(seen(trust, { 'x-forwarded-for': value })).toEqual({ ...DIRECT, address });
  });

  it.each<[Record<string, string>, string]>([
    [{ proto: 'https' }, 'https://inner:3000'],
    [{ proto: 'HTTPS', host: 'shop.example' }, 'https://shop.example'],
    [{ proto: 'http, https' }, 'https://inner:3000'], // the client invented the first one
    [{ proto: 'gopher' }, 'http://inner:3000'],
    [{ host: 'evil.example, shop.example' }, 'http://shop.example'],
    [{ host: 'shop example' }, 'http://inner:3000'],
    [{ host: 'user@shop.example' }, 'http://inner:3000'],
    [{ host: '[::1]:8080' }, 'http://[::1]:8080'],
    [{ port: '8443' }, 'http://inner:8443'],
    [{ host: 'shop.example', port: '8443' }, 'http://shop.example:8443'],
    [{ host: 'shop.example:81', port: '8443' }, 'http://shop.example:81'],
    [{ host: '[::1]', port: '8443' }, 'http://[::1]:8443'],
    [{ port: '0' }, 'http://inner:3000'],
    [{ port: '65536' }, 'http://inner:3000'],
  ])('is with X-Forwarded-… %j the site %s', (values, origin) => {
    const headers = Object.entries(values).map(([name, value]) => [`x-forwarded-${name}`, value]);
    const { scheme, host } = seen(1, Object.fromEntries(headers) as never) as typeof DIRECT;
    expect(`${scheme}://${host}`).toBe(origin);
  });

  it('is what the farthest proxy says that is trusted', () => {
    const headers = {
      'x-forwarded-for': '203.0.113.9, 10.0.0.2',
      'x-forwarded-proto': 'https, http',
      'x-forwarded-host': 'shop.example', // the nearer proxy lets pass what the other has said
    };
    const farthest = { address: '203.0.113.9', scheme: 'https', host: 'shop.example' };
    expect(seen(['10.0.0.0/8'], headers)).toEqual(farthest);
    expect(seen(2, headers)).toEqual(farthest);
    expect(seen(['10.0.0.1'], headers)).toMatchObject({ address: '10.0.0.2', scheme: 'http' });
  });

  it.each<[TrustProxy, string, object]>([
    [1, 'for=203.0.113.9', { address: '203.0.113.9' }],
    [1, 'For="203.0.113.9:5678";Proto=https', { address: '203.0.113.9', scheme: 'https' }],
    [1, 'for="[2001:db8::1]:80";by=10.0.0.1', { address: '2001:db8::1' }],
    [
      1,
      'for="203.0.113\\.9" ; host="shop.example:81"',
      { address: '203.0.113.9', host: 'shop.example:81' },
    ],
    [2, 'for=203.0.113.9;proto=https, for=10.0.0.2', { address: '203.0.113.9', scheme: 'https' }],
    [1, 'for=6.6.6.6;host=evil, for=203.0.113.9', { address: '203.0.113.9' }],
    [1, 'for="6.6.6.6, for=203.0.113.9;proto=https', { address: '203.0.113.9', scheme: 'https' }],
    [1, 'for=unknown;proto=https', { scheme: 'https' }],
    [1, 'for=_hidden, for=_secret', {}],
    [1, ';;;,=,"', {}],
  ])('is with trust in %j and Forwarded: %s %j', (trust, forwarded, expected) => {
    expect(seen(trust, { forwarded })).toEqual({ ...DIRECT, ...expected });
  });

  it('is not what Forwarded says when there are headers of the other kind', () => {
    const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=6.6.6.6;proto=https' };
    expect(seen(1, headers)).toEqual({ ...DIRECT, address: '203.0.113.9' });
  });

  it('is always something that can be asked for, whatever stands in the headers', () => {
    const pieces = 'for= proto= host= " \\ , ; [ ] : ::1 1.2.3.4 https %'.split(' ');
    const piece = fc.constantFrom(' ', ...pieces);
    const value = fc.oneof(
      fc.string(),
      fc.array(piece).map((chosen) => chosen.join('')),
    );
    const names = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'];
    const headers = fc.record(
      Object.fromEntries([...names, 'forwarded'].map((name) => [name, value])),
      { requiredKeys: [] },
    );
    const trust = fc.constantFrom<TrustProxy>(0, 1, 3, ['10.0.0.0/8', '::/0']);
    fc.assert(
      fc.property(trust, headers, (trusted, given) => {
        const { address, scheme, host } = seen(
          trusted,
          given as Record<string, string>,
        ) as typeof DIRECT;
        expect(address).not.toBe('');
        expect(['http', 'https']).toContain(scheme);
        // What a client writes never ends the host and begins a path, or a user before it.
        const path = '/x?y';
        const url = URL.parse(`${scheme}://${host}${path}`) ?? new URL(path, 'http://localhost');
        expect([url.pathname, url.search, url.username]).toEqual(['/x', '?y', '']);
      }),
    );
  });

  it('is what the last proxy has added, whatever its client has written before', () => {
    const noise = fc.string();
    fc.assert(
      fc.property(noise, (before) => {
        const forwarded = `${before}, for=203.0.113.9;proto=https;host=shop.example`;
        expect(seen(1, { forwarded })).toEqual({
          address: '203.0.113.9',
          scheme: 'https',
          host: 'shop.example',
        });
      }),
    );
  });

  it('refuses what cannot be trusted', () => {
    expect(() => createApp({ ...QUIET, trustProxy: -1 })).toThrow(/a number from 0/);
    for (const entry of ['localhost', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/']) {
      expect(() => createApp({ ...QUIET, trustProxy: [entry] })).toThrow(/networks/);
    }
  });
});

describe('ctx.url', () => {
  const app = (trustProxy: TrustProxy = 0) =>
    createApp({ ...QUIET, trustProxy }).get('/*', ({ ctx }) => [
      ctx.url.href,
      ctx.request.url,
      ctx.headers.host,
      ctx.clientAddress,
    ]);

  it('is https over TLS', async () => {
    await using secure = app();
    const { url } = await secure.listen({
      port: 0,
      host: '127.0.0.1',
      tls: { key: KEY, cert: CERT },
    });
    const asking = request(`${url}/a?b=c`, { ca: CERT, rejectUnauthorized: false, agent: false });
    const [res] = (await once(asking.end(), 'response')) as [IncomingMessage];
    expect(((await json(res)) as string[])[0]).toBe(`${url}/a?b=c`);
  });

  it('has the host of the request target when that is a whole URL', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    const head = 'Host: other.example\r\nConnection: close\r\n\r\n';
    client.send(`GET http://shop.example:81/a?b=c HTTP/1.1\r\n${head}`);
    const href = 'http://shop.example:81/a?b=c';
    expect(await client.end()).toContain(
      JSON.stringify([href, href, 'shop.example:81', '127.0.0.1']),
    );
  });

  it('is refused when the request target has a host that is none', async () => {
    await using server = await serve(app());
    await using client = await rawClient(server.port);
    client.send('GET http://user@shop.example/ HTTP/1.1\r\nHost: shop.example\r\n\r\n');
    expect(await client.end()).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('is what trusted proxies say', async () => {
    await using server = await serve(app(['127.0.0.1']));
    const headers = {
      'x-forwarded-for': '203.0.113.9:5678',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
    };
    const [href, , , address] = (await (await server.fetch('/a', { headers })).json()) as string[];
    expect([href, address]).toEqual(['https://shop.example/a', '203.0.113.9']);
  });
});
