import { once } from 'node:events';
import { createApp, HttpClient } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { Type } from 'typebox';
import { MockAgent } from 'undici';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

const upstream = () =>
  createApp(QUIET)
    .get('/users/1', () => ({ id: 1, name: 'Ada' }))
    .get('/text', () => 'not JSON')
    .get('/never', async ({ ctx }) => void (await once(ctx.signal, 'abort'))) // until the client leaves
    .get('/half', async function* () {
      yield 1;
      await new Promise(() => undefined);
    } as never)
    .post('/echo', async ({ ctx }) => ({
      type: ctx.headers['content-type'],
      body: await ctx.request.json(),
    }));

const User = Type.Object({ id: Type.Integer(), name: Type.String() });

describe('HttpClient', () => {
  it('gets and checks JSON, and posts it', async () => {
    await using server = await serve(upstream());
    await using http = new HttpClient();
    const user = await http.json(`${server.url}/users/1`, { schema: User });
    expect(user.name).toBe('Ada');
    const posted = await http.post(`${server.url}/echo`, { json: { a: 1 } });
    expect(await posted.json()).toEqual({ type: 'application/json', body: { a: 1 } });
    expect((await http.get(`${server.url}/nowhere`)).status).toBe(404);
  });

  it('says which service answered what when it is not as wanted', async () => {
    await using server = await serve(upstream());
    await using http = new HttpClient();
    await expect(http.json(`${server.url}/nowhere`)).rejects.toMatchObject({
      code: 'UPSTREAM_STATUS',
      status: 404,
      message: `${server.url}/nowhere answered 404, and 2xx was wanted.`,
    });
    await expect(http.json(`${server.url}/text`)).rejects.toMatchObject({ code: 'UPSTREAM_BODY' });
    const schema = Type.Object({ id: Type.String() });
    await expect(http.json(`${server.url}/users/1`, { schema })).rejects.toThrow(
      'does not fit: /id must be string.',
    );
  });

  it.each(['/never', '/half'])('gives up after its timeout on %s', async (path) => {
    await using server = await serve(upstream());
    await using http = new HttpClient({ timeout: '50ms' });
    await expect(http.json(server.url + path)).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('gives up when the caller does', async () => {
    await using server = await serve(upstream());
    await using http = new HttpClient();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(http.get(`${server.url}/never`, { signal })).rejects.toThrow('enough');
  });

  it('is injected by its class, mocked in a test, and closed with the app', async () => {
    const app = () =>
      createApp(QUIET).get('/', { in: { http: HttpClient } }, ({ http }) =>
        http.json('https://api.example/users/1', { schema: User }),
      );
    const agent = new MockAgent();
    agent.disableNetConnect();
    agent
      .get('https://api.example')
      .intercept({ path: '/users/1' })
      .reply(200, { id: 1, name: 'Mock' });
    {
      await using t = await testApp(app())
        .override(HttpClient, new HttpClient({ dispatcher: agent }))
        .start();
      expect(await (await t.get('/')).json()).toEqual({ id: 1, name: 'Mock' });
    }
    agent.assertNoPendingInterceptors();
    await agent.close();

    await using server = await serve(upstream());
    const made = app();
    const test = await testApp(made).start();
    const http = await test.resolve(HttpClient);
    expect((await http.get(`${server.url}/users/1`)).status).toBe(200);
    await test[Symbol.asyncDispose]();
    await expect(http.get(`${server.url}/users/1`)).rejects.toThrow('fetch failed');
  });
});
