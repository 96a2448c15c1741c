import { Controller, createApp, Get, Path, Post, path } from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

describe('routing', () => {
  it('joins prefixes without double or missing slashes', async () => {
    for (const [prefix, own, route] of [
      ['/api', '/users', '/:id'],
      ['api/', 'users/', ':id'],
      ['/api/', '//users/', '/:id/'],
    ] as const) {
      @Controller(own)
      class Users {
        @Get(route)
        one(@Path('id', Type.String()) id: string) {
          return { id };
        }
      }
      await using server = await serve(createApp(QUIET).include(prefix, Users));
      expect(await (await server.fetch('/api/users/7')).json()).toEqual({ id: '7' });
      expect((await server.fetch('/api/users')).status).toBe(404);
    }
  });

  it('inherits the routes of a base class, and an overriding method wins once', async () => {
    class Base {
      @Get('/kept')
      kept() {
        return { from: 'base' };
      }
      @Get('/changed')
      changed() {
        return { from: 'base' };
      }
    }
    @Controller('/x')
    class Derived extends Base {
      @Get('/changed')
      override changed() {
        return { from: 'derived' };
      }
    }
    await using server = await serve(createApp(QUIET).include(Derived));
    expect(await (await server.fetch('/x/kept')).json()).toEqual({ from: 'base' });
    expect(await (await server.fetch('/x/changed')).json()).toEqual({ from: 'derived' });
  });

  it('refuses two routes for the same requests, and names both places', async () => {
    @Controller('/users')
    class Users {
      @Post('/:id')
      change() {
        return 'changed';
      }
    }
    const app = createApp(QUIET)
      .include(Users)
      .post('/users/:name', () => 'other');
    await expect(app.listen({ port: 0 })).rejects.toThrow(
      'Both Users.change and POST /users/:name declare it.',
    );
  });

  it('takes parameters of 1,024 characters, and refuses longer ones', async () => {
    const app = createApp(QUIET).get(
      '/:name',
      { in: { name: path('name', Type.String()) } },
      ({ name }) => name.length,
    );
    await using server = await serve(app);
    expect(await (await server.fetch(`/${'x'.repeat(1024)}`)).json()).toBe(1024);
    expect((await server.fetch(`/${'x'.repeat(1025)}`)).status).toBe(414);
  });

  it('is 400 for broken percent-encoding, whatever the method', async () => {
    await using server = await serve(createApp(QUIET).get('/:name', () => 'home'));
    for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE']) {
      expect((await server.fetch('/%zz', { method })).status).toBe(400);
    }
  });
});
