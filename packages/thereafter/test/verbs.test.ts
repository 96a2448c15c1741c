import { All, Context, Controller, createApp, Get, Patch, Post, Put } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { get } from './support/raw.ts';
import { QUIET, serve } from './support/serve.ts';

@Controller('/items')
class ItemsController {
  @Get('/')
  @Post('/')
  both() {
    return 'both';
  }

  @Put('/saved/:id')
  @Patch('/saved/:id')
  save() {
    return 'saved';
  }

  @All('/any')
  any(ctx: Context) {
    return ctx.method;
  }

  @All('/some', { methods: ['PUT', 'DELETE'] })
  some(ctx: Context) {
    return ctx.method;
  }

  @Get('/page')
  page() {
    return 'a page';
  }

  @All('/page', { methods: ['HEAD'] })
  head(ctx: Context) {
    ctx.header('x-own', 'head');
    return '';
  }

  @All('/page', { methods: ['OPTIONS'] })
  options(ctx: Context) {
    ctx.header('x-own', 'options');
    return 'what can be done here';
  }
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

describe('a route for several methods', () => {
  it('answers each of them with the same handler', async () => {
    await using server = await serve(createApp(QUIET).include(ItemsController));
    for (const method of ['GET', 'POST']) {
      expect(await (await server.fetch('/items', { method })).text()).toBe('both');
    }
    for (const method of ['PUT', 'PATCH']) {
      expect(await (await server.fetch('/items/saved/7', { method })).text()).toBe('saved');
    }
  });

  it('answers every method with @All and app.all(), and HEAD as GET', async () => {
    const app = createApp(QUIET)
      .include(ItemsController)
      .all('/function', ({ ctx }) => ctx.method);
    await using server = await serve(app);
    for (const path of ['/items/any', '/function']) {
      for (const method of METHODS) {
        expect(await (await server.fetch(path, { method })).text()).toBe(method);
      }
      const head = await get(server, path, {}, 'HEAD');
      expect([head.status, head.body.length]).toEqual([200, 0]);
    }
  });

  it('answers those that are named, and 405 to the others', async () => {
    const app = createApp(QUIET)
      .include(ItemsController)
      .all('/function', { methods: ['PUT', 'DELETE'] }, ({ ctx }) => ctx.method);
    await using server = await serve(app);
    for (const path of ['/items/some', '/function']) {
      expect(await (await server.fetch(path, { method: 'DELETE' })).text()).toBe('DELETE');
      const refused = await server.fetch(path, { method: 'POST' });
      expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'DELETE, OPTIONS, PUT']);
    }
  });

  it('has an operation with an id of its own for each', () => {
    const { paths } = createApp(QUIET).include(ItemsController).openapi();
    const ids = (path: string) =>
      Object.entries(paths[path]!).map(([method, { operationId }]) => [method, operationId]);
    expect(ids('/items')).toEqual([
      ['post', 'itemsBoth'],
      ['get', 'itemsBothGet'],
    ]);
    expect(ids('/items/saved/{id}')).toEqual([
      ['patch', 'itemsSave'],
      ['put', 'itemsSavePut'],
    ]);
    expect(ids('/items/any').map(([, id]) => id)).toEqual([
      'itemsAny',
      'itemsAnyPost',
      'itemsAnyPut',
      'itemsAnyPatch',
      'itemsAnyDelete',
      'itemsAnyOptions',
    ]);
  });
});

describe('a route of its own', () => {
  it('for HEAD wins over GET, with its headers and without a body', async () => {
    await using server = await serve(createApp(QUIET).include(ItemsController));
    const head = await get(server, '/items/page', {}, 'HEAD');
    expect([head.status, head.headers['x-own'], head.body.length]).toEqual([200, 'head', 0]);
    const page = await get(server, '/items/page');
    expect([page.headers['x-own'], page.body.toString()]).toEqual([undefined, 'a page']);
  });

  it('for OPTIONS wins over the app, and stands once in Allow', async () => {
    await using server = await serve(createApp(QUIET).include(ItemsController));
    const options = await server.fetch('/items/page', { method: 'OPTIONS' });
    expect([options.headers.get('x-own'), await options.text()]).toEqual([
      'options',
      'what can be done here',
    ]);
    const refused = await server.fetch('/items/page', { method: 'DELETE' });
    expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });
});
