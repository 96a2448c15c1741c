import { createApp, type TrustProxy } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from '../support/serve.ts';

async function addressSeen(trustProxy: TrustProxy | undefined, forwarded: string): Promise<string> {
  const app = createApp({ ...QUIET, ...(trustProxy !== undefined && { trustProxy }) });
  app.get('/', ({ ctx }) => ctx.clientAddress);
  await using server = await serve(app);
  return (await server.fetch('/', { headers: { 'x-forwarded-for': forwarded } })).text();
}

describe('the address of the client', () => {
  it('is that of the connection, whatever a client claims', async () => {
    expect(await addressSeen(undefined, '203.0.113.9')).toBe('127.0.0.1');
    expect(await addressSeen(['10.0.0.0/8'], '203.0.113.9')).toBe('127.0.0.1');
  });

  it('is what a trusted proxy says', async () => {
    expect(await addressSeen(1, '198.51.100.1, 203.0.113.9')).toBe('203.0.113.9');
    expect(await addressSeen(2, '198.51.100.1, 203.0.113.9')).toBe('198.51.100.1');
    expect(await addressSeen(['127.0.0.1'], '198.51.100.1, 203.0.113.9')).toBe('203.0.113.9');
    const trusted = ['127.0.0.0/8', '203.0.113.0/24'];
    expect(await addressSeen(trusted, '198.51.100.1, ::ffff:203.0.113.9')).toBe('198.51.100.1');
  });

  it('stops at what is no address', async () => {
    expect(await addressSeen(9, '198.51.100.1, nonsense')).toBe('127.0.0.1');
  });

  it('refuses what cannot be trusted', () => {
    expect(() => createApp({ ...QUIET, trustProxy: -1 })).toThrow(/whole number/);
    for (const entry of ['localhost', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/']) {
      expect(() => createApp({ ...QUIET, trustProxy: [entry] })).toThrow(/networks/);
    }
  });
});
