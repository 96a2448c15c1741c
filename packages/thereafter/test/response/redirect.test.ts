import { createApp, redirect, type RedirectOptions } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { get, type RawResponse } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

async function led(target: string, options?: RedirectOptions): Promise<RawResponse> {
  const app = createApp(QUIET).get('/', { response: Type.Object({ a: Type.String() }) }, () =>
    redirect(target, options),
  );
  await using server = await serve(app);
  return await get(server, '/'); // before the server ends
}

describe('redirect', () => {
  it.each([
    ['/', '/'],
    ['/users/7?a=1#top', '/users/7?a=1#top'],
    ['/a b/é', '/a%20b/%C3%A9'],
    ['/a//b', '/a//b'],
    ['/a\r\nset-cookie: b=1', '/aset-cookie:%20b=1'],
  ])('leads to the path %j of the app', async (target, location) => {
    const { status, headers, body } = await led(target);
    expect([status, headers['location'], body.length]).toEqual([303, location, 0]);
    expect(headers['set-cookie']).toBeUndefined();
  });

  it.each([
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    'javascript:alert(1)',
    'data:text/html,hi',
    'users/7',
    '',
  ])('refuses %j', async (target) => {
    const { status, headers } = await led(target, { allow: ['https://good.example'] });
    expect(status).toBe(400);
    expect(headers['location']).toBeUndefined();
  });

  it('leads to the origins of its list, with another status', async () => {
    const allow = ['https://good.example'];
    const { status, headers } = await led('https://good.example/in?a=1', { allow, status: 307 });
    expect([status, headers['location']]).toEqual([307, 'https://good.example/in?a=1']);
    for (const other of ['https://good.example.evil/', 'https://good.example@evil.example/']) {
      expect((await led(other, { allow })).status).toBe(400);
    }
  });
});
