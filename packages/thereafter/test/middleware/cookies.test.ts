import fc from 'fast-check';
import { body, createApp, type Context } from 'thereafter';
import { clearCookie, getCookie, setCookie, signedCookies } from 'thereafter/cookies';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { get } from '../support/raw.ts';
import { QUIET, serve } from '../support/serve.ts';

const OLD = 'an old key that has 32 characters';
const NEW = 'a new key that has 32 characters too';

function answering(handler: (ctx: Context) => unknown) {
  return serve(createApp(QUIET).get('/', ({ ctx }) => handler(ctx)));
}

/** What a handler sets. */
async function set(handler: (ctx: Context) => void): Promise<string[]> {
  await using server = await answering(handler);
  return (await get(server, '/')).headers['set-cookie'] ?? [];
}

/** What a handler reads from a cookie header. */
async function read(cookie: string, handler: (ctx: Context) => unknown): Promise<string> {
  await using server = await answering((ctx) => handler(ctx) ?? 'nothing');
  return (await get(server, '/', { cookie })).body.toString();
}

describe('cookies', () => {
  it('are set with careful defaults', async () => {
    expect(await set((ctx) => setCookie(ctx, 'a', 'x y;é'))).toEqual([
      'a=x%20y%3B%C3%A9; Path=/; HttpOnly; Secure; SameSite=Lax',
    ]);
  });

  it('are set with what is asked for', async () => {
    const lines = await set((ctx) =>
      setCookie(ctx, 'a', '1', {
        maxAge: '2h',
        path: '/app',
        domain: 'x.example',
        httpOnly: false,
        secure: false,
        sameSite: 'strict',
      }),
    );
    expect(lines).toEqual(['a=1; Max-Age=7200; Domain=x.example; Path=/app; SameSite=Strict']);
  });

  it('stay apart, and the last word on a name counts', async () => {
    const lines = await set((ctx) => {
      setCookie(ctx, 'a', '1');
      setCookie(ctx, 'ab', '2');
      setCookie(ctx, 'a', '3');
    });
    expect(lines.map((line) => line.split(';')[0])).toEqual(['ab=2', 'a=3']);
  });

  it('are set with an error too', async () => {
    await using server = await answering((ctx) => {
      setCookie(ctx, 'a', '1');
      throw new Error('secret');
    });
    const { status, headers } = await get(server, '/');
    expect([status, headers['set-cookie']?.length]).toEqual([500, 1]);
  });

  it('are forgotten', async () => {
    const [line] = await set((ctx) => clearCookie(ctx, 'a', { path: '/app' }));
    expect(line).toMatch(/^a=; Max-Age=0; Path=\/app/);
  });

  it('are read, decoded', async () => {
    expect(await read('a=x%20y; b=2', (ctx) => getCookie(ctx, 'a'))).toBe('x y');
    expect(await read('b=2', (ctx) => getCookie(ctx, 'a'))).toBe('nothing');
    expect(await read('a=%zz', (ctx) => getCookie(ctx, 'a'))).toBe('%zz');
    expect(await read('a=1', (ctx) => getCookie(ctx, '__proto__'))).toBe('nothing');
    await using server = await answering((ctx) => getCookie(ctx, 'a') ?? 'nothing');
    expect((await get(server, '/')).body.toString()).toBe('nothing');
  });

  it.each<[string, Parameters<typeof setCookie>[3]]>([
    ['a', { sameSite: 'none', secure: false }],
    ['a', { partitioned: true, secure: false }],
    ['__Secure-a', { secure: false }],
    ['__Host-a', { path: '/app' }],
    ['__Host-a', { domain: 'x.example' }],
    ['a b', {}],
    ['a', { path: '/\r\nset-cookie: b=2' }],
    ['a', { domain: 'x; HttpOnly' }],
  ])('are refused when no browser would keep %s with %j', async (name, options) => {
    let error: unknown;
    const lines = await set((ctx) => {
      try {
        setCookie(ctx, name, '1', options);
      } catch (thrown) {
        error = thrown;
      }
    });
    expect(error).toMatchObject({ code: 'ARGUMENT_INVALID' });
    expect(lines).toEqual([]);
  });
});

describe('signed cookies', () => {
  const cookies = signedCookies([OLD]);

  async function signed(name: string, value: string, keys = [OLD]): Promise<string> {
    const [line = ''] = await set((ctx) => signedCookies(keys).set(ctx, name, value));
    return line.split(';')[0]!;
  }

  it('give back what was signed', async () => {
    const cookie = await signed('user', 'a.b c');
    expect(await read(cookie, (ctx) => cookies.get(ctx, 'user'))).toBe('a.b c');
  });

  it('give nothing for what somebody else wrote', async () => {
    const cookie = await signed('user', '7');
    const [, signature = ''] = cookie.split('.');
    for (const forged of [
      'user=7',
      'user=7.',
      `user=8.${signature}`,
      `user=7.${signature.slice(1)}`,
      `user=7.${signature}AAAA`,
      await signed('user', '7', [NEW]),
      // Signed by us, but under another name.
      (await signed('theme', '7')).replace('theme', 'user'),
    ]) {
      expect(await read(forged, (ctx) => cookies.get(ctx, 'user'))).toBe('nothing');
    }
  });

  it('change their key without being lost', async () => {
    const rotated = signedCookies([NEW, OLD]);
    const old = await signed('user', '7');
    expect(await read(old, (ctx) => rotated.get(ctx, 'user'))).toBe('7');
    const fresh = await signed('user', '7', [NEW, OLD]);
    expect(fresh).toBe(await signed('user', '7', [NEW]));
  });

  it('want a key that is long enough', () => {
    expect(() => signedCookies([])).toThrow(/at least 32/);
    expect(() => signedCookies([NEW, 'short'])).toThrow(/at least 32/);
  });
});

describe('a cookie that is set and sent back', () => {
  it('has the value that was set, signed or not, whatever it is', async () => {
    const signed = signedCookies([NEW, OLD]);
    const app = createApp(QUIET)
      .post('/', { in: { value: body(Type.String()) } }, ({ ctx, value }) => {
        setCookie(ctx, 'plain', value);
        signed.set(ctx, 'signed', value);
      })
      .get('/', ({ ctx }) => [getCookie(ctx, 'plain'), signed.get(ctx, 'signed')]);
    await using server = await serve(app);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 40 }), async (value) => {
        const { headers } = await server.post('/', value);
        const cookie = headers.getSetCookie().map((line) => line.split(';')[0]);
        const response = await server.fetch('/', { headers: { cookie: cookie.join('; ') } });
        expect(await response.json()).toEqual([value, value]);
      }),
      { numRuns: 200 },
    );
  });

  it('is read without a fault, whatever a client sends', async () => {
    const signed = signedCookies([NEW]);
    const app = createApp(QUIET).get('/', ({ ctx }) => signed.get(ctx, 'a') ?? 'nothing');
    await using server = await serve(app);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...'a=;. %"2Cé,'.split('')), maxLength: 20 }),
        async (cookie) => {
          const answer = await get(server, '/', { cookie: Buffer.from(cookie).toString('latin1') });
          expect([answer.status, answer.body.toString()]).toEqual([200, 'nothing']);
        },
      ),
      { numRuns: 200 },
    );
  });
});
