import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  App,
  BackgroundTasks,
  Controller,
  createApp,
  dependency,
  Get,
  Injectable,
  token,
  Inject,
} from 'thereafter';
import { InvalidAppError, ListenError } from 'thereafter/errors';
import { describe, expect, it } from 'vitest';
import { MemoryEngine } from './support/memory-engine.ts';
import { QUIET, serve } from './support/serve.ts';

describe('an app', () => {
  it('joins the prefixes of include, controller and route', async () => {
    @Controller('users/')
    class Users {
      @Get('/')
      all() {
        return 'all';
      }
      @Get('first')
      first() {
        return 'first';
      }
    }
    await using server = await serve(createApp(QUIET).include('/api', Users));
    expect(await (await server.fetch('/api/users')).text()).toBe('all');
    expect(await (await server.fetch('/api/users/first')).text()).toBe('first');
  });

  it('lists its routes, and can be injected by its type', async () => {
    @Controller('/about')
    class About {
      constructor(private readonly app: App) {}

      @Get('/')
      routes() {
        return this.app.routes;
      }
    }
    const app = createApp(QUIET).include('/api', About);
    expect(app.routes).toHaveLength(1);
    await using server = await serve(app.post('/send', () => undefined));
    expect(await (await server.fetch('/api/about')).json()).toEqual([
      { method: 'GET', path: '/api/about', handler: 'About.routes' },
      { method: 'POST', path: '/send', handler: 'POST /send' },
    ]);
  });

  it('tells where it listens, once it does', async () => {
    const app = createApp(QUIET);
    expect(() => app.url).toThrow(expect.objectContaining({ code: 'APP_NOT_STARTED' }));
    await using server = await serve(app);
    expect(app.url).toBe(server.url);
  });

  it('inherits the routes of a base class, and lets a method override one', async () => {
    class Base {
      @Get('/kept')
      kept() {
        return 'kept';
      }
      @Get('/changed')
      changed() {
        return 'base';
      }
    }
    @Controller()
    class Derived extends Base {
      @Get('/changed')
      override changed() {
        return 'derived';
      }
    }
    await using server = await serve(createApp(QUIET).include(Derived));
    expect(await (await server.fetch('/kept')).text()).toBe('kept');
    expect(await (await server.fetch('/changed')).text()).toBe('derived');
  });

  it('reports all faults at once, before the port opens', async () => {
    const Clock = token<Date>('Clock');
    @Injectable()
    class Service {
      constructor(
        @Inject(Clock) readonly clock: Date,
        readonly tasks: BackgroundTasks,
      ) {}
    }
    @Controller()
    class First {
      constructor(readonly service: Service) {}
      @Get('/same')
      one() {
        return this.service.clock;
      }
    }
    const app = createApp(QUIET)
      .include(First)
      .get('/same', () => 1);
    const error = await app.listen({ port: 0 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidAppError);
    const { message } = error as InvalidAppError;
    expect(message).toContain('GET /same is declared twice');
    expect(message).toContain('First.one');
    expect(message).toContain('Clock');
  });

  it('refuses BackgroundTasks in a singleton, with the path', async () => {
    @Injectable()
    class Service {
      constructor(readonly tasks: BackgroundTasks) {}
    }
    @Controller()
    class Users {
      constructor(readonly service: Service) {}
      @Get('/')
      all() {
        return 'all';
      }
    }
    await expect(createApp(QUIET).include(Users).listen({ port: 0 })).rejects.toThrow(
      /TA111.*Service lives for the whole app.*Users\.all → Users → service: Service → tasks: BackgroundTasks/s,
    );
  });

  it('says in one line that its port is taken, and what to do', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    try {
      const error = await createApp(QUIET)
        .listen({ port })
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ListenError);
      expect((error as ListenError).message).toBe(
        `Cannot listen on port ${port}: another program is using it. Stop that one, or choose a free port with PORT=<number>.`,
      );
    } finally {
      other.close();
    }
  });

  it('that cannot start ends what had begun, the last first', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const events: string[] = [];
    const openPool = dependency(
      {},
      function* (): Generator<string, void> {
        yield 'pool';
        events.push('the pool ends');
      },
      { scope: 'singleton' },
    );
    const part = (name: string) =>
      async function* () {
        events.push(`${name} begins`);
        yield;
        events.push(`${name} ends`);
      };
    const app = createApp({ ...QUIET, jobs: new MemoryEngine(events) })
      .get('/', { in: { pool: openPool } }, ({ pool }) => pool)
      .lifespan(part('first'))
      .lifespan(part('second'));
    try {
      const { port } = other.address() as AddressInfo;
      await expect(app.listen({ port })).rejects.toBeInstanceOf(ListenError);
    } finally {
      other.close();
    }
    expect(events).toEqual([
      'register',
      'first begins',
      'second begins',
      'start',
      'close',
      'second ends',
      'first ends',
      'the pool ends',
    ]);
  });

  it('whose lifespan fails ends those before it, and starts nothing more', async () => {
    const events: string[] = [];
    const app = createApp({ ...QUIET, jobs: new MemoryEngine(events) })
      .lifespan(async function* () {
        yield;
        events.push('first ends');
      })
      // oxlint-disable-next-line require-yield -- it does not get there
      .lifespan(async function* () {
        throw new Error('no database');
      });
    await expect(app.listen({ port: 0 })).rejects.toThrow('no database');
    expect(events).toEqual(['register', 'first ends']);
  });

  it('refuses registrations once it has started', async () => {
    const app = createApp(QUIET).get('/', () => 'home');
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
    expect(() => app.get('/late', () => 'late')).toThrow(/Register before listen/);
    await expect(app.listen()).rejects.toThrow(/listen once/);
  });

  it('refuses a class that is neither a controller nor a task', () => {
    class Plain {}
    expect(() => createApp(QUIET).include(Plain)).toThrow(/Plain is neither/);
  });
});
