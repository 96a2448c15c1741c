import { createApp, redirect, redirectExternal } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';

describe('redirect()', () => {
  it('sends the client to a path of the app, with 303 unless told otherwise', async () => {
    const app = createApp(QUIET)
      .post('/', { response: Type.Object({ id: Type.Integer() }) }, () => redirect('/ä?b=1#c'))
      .get('/moved', () => redirect('/', 308));
    await using server = await serve(app);
    const response = await server.fetch('/', { method: 'POST', redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/%C3%A4?b=1#c');
    expect((await server.fetch('/moved', { redirect: 'manual' })).status).toBe(308);
  });

  it.each([
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example',
    'evil',
    '',
    '\\\\evil',
    'javascript:alert(1)',
  ])('refuses %j', (target) => {
    expect(() => redirect(target)).toThrow('redirect() goes to paths of this app only');
  });
});

describe('redirectExternal()', () => {
  it('goes to another host, by http only', () => {
    expect(redirectExternal('https://other.example/a').headers).toEqual({
      location: 'https://other.example/a',
    });
    expect(() => redirectExternal('javascript:alert(1)')).toThrow('absolute http: or https:');
    expect(() => redirectExternal('/path')).toThrow('absolute http: or https:');
  });
});
