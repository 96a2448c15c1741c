import { config, createApp } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

const Settings = config(
  Type.Object({
    TEST_LIMIT: Type.Integer({ default: 3 }),
    TEST_URL: Type.String(),
    TEST_DEBUG: Type.Optional(Type.Boolean()),
  }),
);

function set(variables: Record<string, string>): void {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

const app = () => createApp(QUIET).get('/', { in: { settings: Settings } }, (v) => v.settings);

describe('config', () => {
  it('reads, coerces and fills in environment variables when the app starts', async () => {
    const made = app();
    set({ TEST_URL: 'x://y', TEST_DEBUG: 'true' });
    await using server = await serve(made);
    expect(await (await server.fetch('/')).json()).toEqual({
      TEST_LIMIT: 3,
      TEST_URL: 'x://y',
      TEST_DEBUG: true,
    });
  });

  it('fails the start and names every variable, and no value', async () => {
    set({ TEST_LIMIT: '1e3', TEST_DEBUG: 'secret' });
    const failure = await app()
      .listen({ port: 0 })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'CONFIG_INVALID',
      message: [
        'The environment is not complete:',
        '  TEST_URL is required',
        '  TEST_LIMIT must be an integer',
        '  TEST_DEBUG must be a boolean',
      ].join('\n'),
    });
  });

  it('is not read when a test or the app gives the values', async () => {
    const settings = { TEST_LIMIT: 1, TEST_URL: 'given' };
    await using server = await serve(app().provide(Settings, { value: settings }));
    expect(await (await server.fetch('/')).json()).toEqual(settings);
  });
});
