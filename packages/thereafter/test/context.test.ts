import {
  body,
  createApp,
  dependency,
  path,
  query,
  Context,
  type App,
  type Middleware,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

const STAGES = [
  'middleware of the app',
  'middleware of the route',
  'guard',
  'dependency',
  'handler',
  'middleware after the handler',
  'onError',
  'task',
] as const;

class Refused extends Error {}

/** Everything about a request that is looked at when it is asked for. */
function views(ctx: Context): Record<string, unknown> {
  const { query: pairs, params, cookies, url, headers, request, method, path: target } = ctx;
  return {
    query: { ...pairs },
    params: { ...params },
    cookies: { ...cookies },
    url: url.href.replace(/:\d+/, ''),
    headers: headers['x-asked'],
    request: [request.method, request.headers.get('x-asked'), request.bodyUsed],
    method,
    target,
  };
}

/** Asks for all views at one stage and the ones after it. */
function asking(from: number): { app: App; seen: Map<string, unknown> } {
  const seen = new Map<string, unknown>();
  const ask = (stage: (typeof STAGES)[number], ctx: Context): void => {
    if (STAGES.indexOf(stage) >= from) seen.set(stage, views(ctx));
  };
  const around: Middleware = (ctx, next) => {
    ask('middleware of the route', ctx);
    return next();
  };
  const guard = dependency({ ctx: Context }, ({ ctx }) => ask('guard', ctx));
  const asked = dependency({ ctx: Context }, ({ ctx }) => ask('dependency', ctx));
  const app = createApp(QUIET)
    .use(async (ctx, next) => {
      ask('middleware of the app', ctx);
      try {
        return await next();
      } finally {
        ask('middleware after the handler', ctx);
      }
    })
    .onError(Refused, (_, ctx) => {
      ask('onError', ctx);
      return new Response('refused', { status: 418 });
    })
    .post(
      '/items/:id',
      {
        use: [around, guard],
        in: {
          asked,
          id: path('id', Type.Integer()),
          limit: query('limit', Type.Integer()),
          sent: body(Type.Object({ a: Type.Integer() })),
        },
      },
      ({ ctx, id, limit, sent }) => {
        ask('handler', ctx);
        seen.set('inputs', { id, limit, sent });
        ctx.tasks.with({ on: 'always' }).add(() => ask('task', ctx));
        throw new Refused();
      },
    );
  return { app, seen };
}

describe('what a context says of its request', () => {
  it.each(STAGES.map((stage, i) => [stage, i] as const))(
    'is the same when it is first asked in: %s',
    async (_, from) => {
      const { app, seen } = asking(from);
      await using server = await serve(app);
      const response = await server.fetch('/items/7?limit=5&tag=a&tag=b', {
        method: 'POST',
        body: '{"a":1}',
        headers: { 'content-type': 'application/json', 'x-asked': 'yes', cookie: 'theme=dark' },
      });
      expect(response.status).toBe(418);
      await app.tasks.settled();
      const { request, ...same } = {
        query: { limit: '5', tag: ['a', 'b'] },
        params: { id: '7' },
        cookies: { theme: 'dark' },
        url: 'http://127.0.0.1/items/7?limit=5&tag=a&tag=b',
        headers: 'yes',
        request: ['POST', 'yes', false],
        method: 'POST',
        target: '/items/7',
      };
      const expected = STAGES.slice(from).map((stage) => [
        stage,
        expect.objectContaining({ ...same, request }) as unknown,
      ]);
      expect(Object.fromEntries(seen)).toEqual({
        ...Object.fromEntries(expected),
        inputs: { id: 7, limit: 5, sent: { a: 1 } },
      });
    },
  );

  it('has no parameters where no route has the path', async () => {
    const seen: unknown[] = [];
    const app = createApp(QUIET).use((ctx, next) => {
      seen.push({ ...ctx.params }, { ...ctx.query });
      return next();
    });
    await using server = await serve(app);
    expect((await server.fetch('/nowhere?a=1')).status).toBe(404);
    expect(seen).toEqual([{}, { a: '1' }]);
  });
});
