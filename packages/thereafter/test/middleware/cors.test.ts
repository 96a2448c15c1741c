import { createApp, HttpReply } from 'thereafter';
import { cors, type CorsOptions } from 'thereafter/cors';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';

const ORIGIN = 'https://app.example';

function shop(options: CorsOptions) {
  return createApp(QUIET)
    .use(cors(options))
    .get('/', () => new HttpReply('hello', { headers: { vary: 'accept-language' } }))
    .post('/', () => 'made')
    .get('/broken', () => {
      throw new Error('secret');
    });
}

function preflight(origin: string) {
  return {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,x-trace',
    },
  };
}

describe('cors', () => {
  it('is off unless it is used', async () => {
    await using server = await serve(createApp(QUIET).get('/', () => 'hello'));
    const { headers } = await server.fetch('/', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('vary')).toBeNull();
  });

  it('names an allowed origin, and no other', async () => {
    await using server = await serve(shop({ origin: [ORIGIN] }));
    const allowed = await server.fetch('/', { headers: { origin: ORIGIN } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    for (const origin of ['https://app.example.evil', 'http://app.example', 'null']) {
      const refused = await server.fetch('/', { headers: { origin } });
      expect(refused.status).toBe(200);
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it('varies by origin with or without one, beside what the route varies by', async () => {
    await using server = await serve(shop({ origin: [ORIGIN] }));
    const { headers } = await server.fetch('/');
    expect(headers.get('vary')).toBe('Origin, accept-language');
  });

  it('asks a function', async () => {
    const origin = (asker: string) => asker.endsWith('.example');
    await using server = await serve(shop({ origin, credentials: true }));
    const { headers } = await server.fetch('/', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    const other = await server.fetch('/', { headers: { origin: 'https://evil.test' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
    expect(other.headers.get('access-control-allow-credentials')).toBeNull();
  });

  it('lets every origin read with a star, which varies by nothing', async () => {
    await using server = await serve(shop({ origin: '*', exposeHeaders: ['x-total', 'etag'] }));
    const { headers } = await server.fetch('/', { headers: { origin: ORIGIN } });
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('access-control-expose-headers')).toBe('x-total, etag');
    expect(headers.get('vary')).toBe('accept-language');
  });

  it('answers a preflight on known and unknown paths', async () => {
    await using server = await serve(shop({ origin: [ORIGIN], maxAge: '10m' }));
    for (const path of ['/', '/nowhere']) {
      const { status, headers } = await server.fetch(path, preflight(ORIGIN));
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(headers.get('access-control-allow-methods')).toContain('POST');
      expect(headers.get('access-control-allow-headers')).toBe('content-type,x-trace');
      expect(headers.get('access-control-max-age')).toBe('600');
      expect(headers.get('vary')).toBe('Origin, Access-Control-Request-Headers');
    }
  });

  it('grants nothing in a preflight of another origin', async () => {
    await using server = await serve(shop({ origin: [ORIGIN] }));
    const { status, headers } = await server.fetch('/', preflight('https://evil.test'));
    expect(status).toBe(204);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('allows the headers of its list only', async () => {
    await using server = await serve(shop({ origin: [ORIGIN], allowHeaders: ['x-trace'] }));
    const { headers } = await server.fetch('/', preflight(ORIGIN));
    expect(headers.get('access-control-allow-headers')).toBe('x-trace');
  });

  it('leaves an OPTIONS request that is no preflight to the routes', async () => {
    await using server = await serve(shop({ origin: [ORIGIN] }));
    const options = await server.fetch('/', { method: 'OPTIONS', headers: { origin: ORIGIN } });
    expect(options.headers.get('allow')).toContain('GET');
  });

  it('lets errors be read too', async () => {
    await using server = await serve(shop({ origin: [ORIGIN] }));
    for (const [path, status] of [
      ['/nowhere', 404],
      ['/broken', 500],
    ] as const) {
      const response = await server.fetch(path, { headers: { origin: ORIGIN } });
      expect(response.status).toBe(status);
      expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    }
  });

  it('refuses a star with credentials, and what is no origin, at start', () => {
    expect(() => cors({ origin: '*', credentials: true })).toThrow(/credentials/);
    for (const origin of ['https://app.example/', 'app.example', 'null', '*']) {
      expect(() => cors({ origin: [origin] })).toThrow(/wants origins/);
    }
  });
});
