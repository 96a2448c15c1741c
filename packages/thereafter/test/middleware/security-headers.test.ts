import { createApp, HttpReply } from 'thereafter';
import { securityHeaders, type SecurityHeadersOptions } from 'thereafter/security-headers';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

function app(options?: SecurityHeadersOptions) {
  return createApp(QUIET)
    .use(securityHeaders(options))
    .get('/', () => 'hello')
    .get('/framed', () => new HttpReply('framed', { headers: { 'x-frame-options': 'DENY' } }))
    .get('/set', ({ ctx }) => {
      ctx.header('referrer-policy', 'origin');
      return 'set';
    });
}

describe('securityHeaders', () => {
  it('sets its defaults, on errors too', async () => {
    await using server = await serve(app());
    for (const path of ['/', '/nowhere']) {
      const { headers } = await get(server, path);
      expect(headers).toMatchObject({
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-resource-policy': 'same-origin',
        'origin-agent-cluster': '?1',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=31536000; includeSubDomains',
        'x-content-type-options': 'nosniff',
        'x-dns-prefetch-control': 'off',
        'x-frame-options': 'SAMEORIGIN',
        'x-permitted-cross-domain-policies': 'none',
        'x-xss-protection': '0',
      });
      expect(headers).not.toHaveProperty('x-powered-by');
    }
  });

  it('takes other values, and leaves out what is false', async () => {
    const options = { 'x-frame-options': 'DENY', 'strict-transport-security': false } as const;
    await using server = await serve(app(options));
    const { headers } = await get(server, '/');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers).not.toHaveProperty('strict-transport-security');
  });

  it('gives way to what a handler sets', async () => {
    await using server = await serve(app());
    expect((await get(server, '/framed')).headers['x-frame-options']).toBe('DENY');
    expect((await get(server, '/set')).headers['referrer-policy']).toBe('origin');
  });

  it('refuses a header that it does not know, at start', () => {
    const misspelt = { 'x-frame-option': 'DENY' } as SecurityHeadersOptions;
    expect(() => securityHeaders(misspelt)).toThrow(/does not know 'x-frame-option'/);
  });
});
