import {
  Controller,
  createApp,
  dependency,
  Get,
  Injectable,
  type Middleware,
  NotFound,
  Problem,
  query,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

function trace(events: string[], name: string): Middleware {
  return async (ctx, next) => {
    events.push(`${name} in`);
    const reply = await next();
    events.push(`${name} out ${reply.status}`);
    return reply;
  };
}

describe('middleware', () => {
  it('wraps app, controller and route, in this order', async () => {
    const events: string[] = [];
    @Controller('/a', { use: [trace(events, 'controller')] })
    class A {
      @Get('/', { use: [trace(events, 'route')] })
      get() {
        events.push('handler');
        return 'a';
      }
    }
    const app = createApp(QUIET).use(trace(events, 'app')).include(A);
    await using server = await serve(app);
    expect(await (await server.fetch('/a')).text()).toBe('a');
    expect(events).toEqual([
      'app in',
      'controller in',
      'route in',
      'handler',
      'route out 200',
      'controller out 200',
      'app out 200',
    ]);
  });

  it('of an include wraps its controllers, and nothing else', async () => {
    const events: string[] = [];
    const guard = dependency({ name: query('name', Type.String()) }, ({ name }) => {
      events.push(`guard ${name}`);
    });
    @Controller('/a', { tags: ['a'], use: [trace(events, 'controller')] })
    class A {
      @Get('/')
      get() {
        return 'a';
      }
    }
    @Controller('/b')
    class B {
      @Get('/')
      get() {
        return 'b';
      }
    }
    const app = createApp(QUIET)
      .include({ prefix: '/api/', tags: ['api'], use: [trace(events, 'include'), guard] }, A)
      .include({ prefix: '/open' }, B);
    const { paths } = app.openapi();
    expect(paths['/api/a']?.['get']?.tags).toEqual(['api', 'a']);
    await using server = await serve(app);
    expect(await (await server.fetch('/open/b')).text()).toBe('b');
    expect(events).toEqual([]);
    expect((await server.fetch('/api/a')).status).toBe(422); // what the guard wants is missing
    expect(await (await server.fetch('/api/a?name=Ada')).text()).toBe('a');
    expect(events.slice(2)).toEqual([
      'include in',
      'controller in',
      'guard Ada',
      'controller out 200',
      'include out 200',
    ]);
  });

  it('of the app sees unknown paths, and the error on its way out', async () => {
    const seen: unknown[] = [];
    const app = createApp(QUIET).use(async (ctx, next) => {
      ctx.header('x-seen', 'yes');
      return next().catch((error: unknown) => {
        seen.push(error);
        throw error;
      });
    });
    await using server = await serve(app);
    const response = await server.fetch('/nowhere');
    expect(response.status).toBe(404);
    expect(response.headers.get('x-seen')).toBe('yes');
    expect(seen).toEqual([expect.any(NotFound)]);
  });

  it('may answer without going on, and may change the reply', async () => {
    const app = createApp(QUIET)
      .use((ctx, next) =>
        ctx.path === '/stop' ? new Response('stopped', { status: 418 }) : next(),
      )
      .use(async (_, next) => {
        const reply = await next();
        reply.headers.set('x-was', reply.type ?? 'nothing');
        return reply;
      })
      .get('/go', () => 'gone');
    await using server = await serve(app);
    expect(await (await server.fetch('/stop')).text()).toBe('stopped');
    const response = await server.fetch('/go');
    expect(response.headers.get('x-was')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('gone');
  });
});

describe('onError', () => {
  class DriverError extends Error {}
  class Duplicate extends DriverError {}
  class Taken extends Problem.define({
    type: '/problems/taken',
    status: 409,
    title: 'Taken',
    extension: Type.Object({}),
  }) {}

  it('answers with the nearest class, and lets tasks be added', async () => {
    const ran: string[] = [];
    const app = createApp(QUIET)
      .onError(DriverError, (error) => new Response(error.message, { status: 502 }))
      .onError(Duplicate, async (_, ctx) => {
        ctx.tasks.with({ on: 'error' }).add(() => void ran.push('task'));
        return new Taken({}, 'already there');
      })
      .get('/driver', () => {
        throw new DriverError('down');
      })
      .get('/duplicate', () => Promise.reject(new Duplicate()));
    await using server = await serve(app);
    const down = await server.fetch('/driver');
    expect([down.status, await down.text()]).toEqual([502, 'down']);
    const taken = await server.fetch('/duplicate');
    expect(taken.status).toBe(409);
    expect(await taken.json()).toMatchObject({
      type: '/problems/taken',
      title: 'Taken',
      detail: 'already there',
    });
    await app.tasks.settled();
    expect(ran).toEqual(['task']);
  });

  it('falls back to a plain 500 when the handler itself fails', async () => {
    const app = createApp(QUIET)
      .onError(Error, () => {
        throw new Error('secret');
      })
      .get('/', () => {
        throw new Error('first');
      });
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
  });
});

describe('lifespan', () => {
  it('begins in the order in which they were added, and ends in the other', async () => {
    const events: string[] = [];
    const span = (name: string) =>
      async function* () {
        events.push(`${name} begins`);
        yield;
        events.push(`${name} ends`);
      };
    const app = createApp(QUIET).lifespan(span('outer')).lifespan(span('inner'));
    await app.listen({ port: 0, host: '127.0.0.1' });
    await app.close();
    expect(events).toEqual(['outer begins', 'inner begins', 'inner ends', 'outer ends']);
  });

  it('begins before the port opens, and ends after the tasks and before the singletons', async () => {
    const events: string[] = [];
    @Injectable()
    class Pool {
      [Symbol.dispose]() {
        events.push('pool closed');
      }
    }
    @Controller()
    class Home {
      constructor(readonly pool: Pool) {}
      @Get('/')
      get() {
        return 'home';
      }
    }
    const app = createApp(QUIET)
      .include(Home)
      .get('/task', ({ ctx }) => {
        ctx.tasks.add(() => void events.push('task'));
      })
      .lifespan(async function* () {
        events.push('begin');
        yield;
        events.push('end');
      });
    {
      await using server = await serve(app);
      events.push('listening');
      await server.fetch('/task');
    }
    expect(events).toEqual(['begin', 'listening', 'task', 'end', 'pool closed']);
  });
});
