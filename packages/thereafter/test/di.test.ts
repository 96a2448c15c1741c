import { once } from 'node:events';
import { connect } from 'node:net';
import {
  BackgroundTasks,
  Body,
  Context,
  Controller,
  createApp,
  dependency,
  Depends,
  Get,
  header,
  inject,
  Inject,
  Injectable,
  lazy,
  Post,
  Query,
  Task,
  token,
  type App,
  type Lazy,
} from 'thereafter';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

/** What stops an app from starting. */
async function refusalOf(app: App): Promise<string> {
  await using _ = app;
  try {
    await app.listen({ port: 0, host: '127.0.0.1' });
  } catch (error) {
    return (error as Error).message;
  }
  return 'it started';
}

/** A generator dependency that writes down when it ends, and with what. */
function noted(log: string[], name: string, scope: 'handler' | 'request') {
  return dependency(
    {},
    async function* (): AsyncGenerator<string, void> {
      try {
        yield name;
        log.push(`${name} ended`);
      } catch (error) {
        log.push(`${name} saw ${(error as Error).message}`);
        throw error;
      }
    },
    { name, scope },
  );
}

describe('an undecorated parameter of a handler', () => {
  it('is injected by its type', async () => {
    @Injectable()
    class Greeter {
      greet = (name: string) => `Hello ${name}`;
    }
    @Controller()
    class Hello {
      @Get('/')
      hello(@Query('name', Type.String()) name: string, greeter: Greeter, ctx: Context) {
        return { text: greeter.greet(name), path: ctx.url.pathname };
      }
    }
    await using server = await serve(createApp(QUIET).include(Hello));
    const response = await server.fetch('/?name=Ada');
    expect(await response.json()).toEqual({ text: 'Hello Ada', path: '/' });
  });

  it('is refused at start when it is a primitive, by method and name', async () => {
    @Controller()
    class Hello {
      @Get('/')
      hello(name: string) {
        return name;
      }
    }
    const refusal = await refusalOf(createApp(QUIET).include(Hello));
    expect(refusal).toContain('[TA104]');
    expect(refusal).toContain('name of Hello.hello is a String');
    expect(refusal).toContain('@Query');
  });
});

describe('a request', () => {
  it('has one object of a request-scoped class, and another request another', async () => {
    let count = 0;
    @Injectable({ scope: 'request' })
    class Session {
      readonly id = (count += 1);
    }
    @Injectable({ scope: 'request' })
    class Basket {
      constructor(readonly session: Session) {}
    }
    @Controller()
    class Shop {
      @Get('/')
      ids(session: Session, basket: Basket) {
        return [session.id, basket.session.id];
      }
    }
    await using server = await serve(createApp(QUIET).include(Shop));
    expect(await (await server.fetch('/')).json()).toEqual([1, 1]);
    expect(await (await server.fetch('/')).json()).toEqual([2, 2]);
  });

  it('runs a function dependency that three others use once', async () => {
    let runs = 0;
    const user = dependency({ name: header('x-name', Type.String()) }, async ({ name }) => {
      runs += 1;
      return name;
    });
    const upper = dependency({ user }, (v) => v.user.toUpperCase());
    const lower = dependency({ user }, (v) => v.user.toLowerCase());
    const length = dependency({ user }, (v) => v.user.length);
    const app = createApp(QUIET).get('/', { in: { upper, lower, length } }, (v) => [
      v.upper,
      v.lower,
      v.length,
    ]);
    await using server = await serve(app);
    const response = await server.fetch('/', { headers: { 'x-name': 'Ada' } });
    expect(await response.json()).toEqual(['ADA', 'ada', 3]);
    expect(runs).toBe(1);
  });

  it('shares singletons with 50 others that come at the same time, async ones included', async () => {
    let made = 0;
    const pool = dependency({}, async () => (made += 1), { scope: 'singleton' });
    const app = createApp(QUIET).get('/', { in: { pool } }, (v) => ({ pool: v.pool }));
    await using server = await serve(app);
    const bodies = await Promise.all(
      Array.from({ length: 50 }, async () => (await server.fetch('/')).text()),
    );
    expect(new Set(bodies)).toEqual(new Set(['{"pool":1}']));
  });

  it('shares nothing with another app in the process', async () => {
    @Injectable()
    class Counter {
      count = 0;
    }
    @Controller()
    class Counting {
      constructor(readonly counter: Counter) {}
      @Get('/')
      next() {
        return { count: (this.counter.count += 1) };
      }
    }
    await using one = await serve(createApp(QUIET).include(Counting));
    await using two = await serve(createApp(QUIET).include(Counting));
    await one.fetch('/');
    expect(await (await one.fetch('/')).json()).toEqual({ count: 2 });
    expect(await (await two.fetch('/')).json()).toEqual({ count: 1 });
  });

  it('is 422 when an input that inject() needs is not valid', async () => {
    const size = dependency({ n: header('x-size', Type.Integer()) }, ({ n }) => n);
    @Injectable({ scope: 'request' })
    class Box {
      readonly size = inject(size);
    }
    const app = createApp(QUIET).get('/', { in: { box: Box } }, ({ box }) => ({ size: box.size }));
    await using server = await serve(app);
    const good = await server.fetch('/', { headers: { 'x-size': '3' } });
    expect(await good.json()).toEqual({ size: 3 });
    expect((await server.fetch('/', { headers: { 'x-size': 'big' } })).status).toBe(422);
  });
});

describe('a singleton', () => {
  it('reads the current request through lazy()', async () => {
    @Injectable({ scope: 'request' })
    class Audit {
      constructor(readonly ctx: Context) {}
    }
    @Injectable()
    class Reports {
      constructor(@Inject(lazy(() => Audit)) readonly audit: Lazy<Audit>) {}
      async run() {
        await Promise.resolve();
        return this.audit.get().ctx.url.pathname;
      }
    }
    @Controller()
    class ReportsController {
      constructor(readonly reports: Reports) {}
      @Get('/:which')
      run() {
        return this.reports.run();
      }
    }
    await using server = await serve(createApp(QUIET).include(ReportsController));
    const [a, b] = await Promise.all([server.fetch('/a'), server.fetch('/b')]);
    expect([await a.text(), await b.text()]).toEqual(['/a', '/b']);
  });

  it('that reaches a scope after it has ended is told which, with TA120', async () => {
    @Injectable({ scope: 'request' })
    class Session {}
    const later = Promise.withResolvers<void>();
    const tried = Promise.withResolvers<unknown>();
    @Injectable()
    class Late {
      constructor(@Inject(lazy(() => Session)) readonly session: Lazy<Session>) {}
      async linger() {
        await later.promise;
        this.session.get();
      }
    }
    const app = createApp(QUIET).get('/', { in: { late: Late } }, ({ late }) => {
      late.linger().catch(tried.resolve);
      return 'answered';
    });
    await using server = await serve(app);
    await (await server.fetch('/')).text();
    later.resolve();
    expect(await tried.promise).toMatchObject({
      code: 'TA120',
      message: expect.stringContaining('the scope of GET /, which has ended'),
    });
  });

  it('is refused when it would keep BackgroundTasks, with TA111 and the path', async () => {
    @Injectable()
    class Mailer {
      constructor(readonly tasks: BackgroundTasks) {}
    }
    const app = createApp(QUIET).get('/', { in: { mailer: Mailer } }, () => 'never');
    const refusal = await refusalOf(app);
    expect(refusal).toContain('[TA111]');
    expect(refusal).toContain('GET / → mailer: Mailer → tasks: BackgroundTasks');
  });
});

describe('a task', () => {
  it('is refused when it asks for a part of the request, with TA112 and the path', async () => {
    @Injectable({ scope: 'request' })
    class Audit {
      constructor(readonly ctx: Context) {}
    }
    @Task(Type.Object({}))
    class SendWelcome {
      constructor(
        readonly audit: Audit,
        readonly tasks: BackgroundTasks,
      ) {}
      run() {}
    }
    const refusal = await refusalOf(createApp(QUIET).include(SendWelcome));
    expect(refusal.match(/\[TA112\]/g)).toHaveLength(2); // both, at once
    expect(refusal).toContain('(SendWelcome → audit: Audit → ctx: Context)');
    expect(refusal).toContain('(SendWelcome → tasks: BackgroundTasks)');
  });
});

describe('an override', () => {
  const user = dependency(
    { auth: header('authorization', Type.String()) },
    ({ auth }) => ({ name: auth }),
    { name: 'user' },
  );
  interface Clock {
    now(): number;
  }
  const Clock = token<Clock>('Clock');
  @Injectable()
  class Mailer {
    constructor(@Inject(Clock) readonly clock: Clock) {}
    name = () => 'real';
  }
  @Controller()
  class Users {
    @Get('/')
    me(@Depends(user) me: { name: string }, mailer: Mailer, @Inject(Clock) clock: Clock) {
      return [me.name, mailer.name(), clock.now()];
    }
  }

  it('of a class, a token or a function dependency replaces it, and what only it needed is gone', async () => {
    const fake = { name: () => 'fake' } as Mailer;
    const app = createApp(QUIET)
      .include(Users)
      .override(user, { name: 'Ada' })
      .override(Mailer, fake)
      .override(Clock, { now: () => 7 });
    await using server = await serve(app);
    // Without an authorization header, which the real one insists on.
    expect(await (await server.fetch('/')).json()).toEqual(['Ada', 'fake', 7]);
  });

  it('of what only the base class of a controller asks for with inject() is let pass, and used', async () => {
    class Timed {
      protected readonly clock = inject(Clock);
    }
    @Controller()
    class Times extends Timed {
      @Get('/')
      now() {
        return this.clock.now();
      }
    }
    const app = createApp(QUIET)
      .include(Times)
      .override(Clock, { now: () => 7 });
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toBe(7);
  });

  it('that no singleton asked for is refused with TA107, once they are built', async () => {
    @Controller()
    class Plain {
      @Get('/')
      home() {
        return 'home';
      }
    }
    const app = createApp(QUIET)
      .include(Plain)
      .override(Clock, { now: () => 0 });
    expect(await refusalOf(app)).toContain('[TA107] Cannot build Clock');
  });

  it('that nobody uses is refused with TA107', async () => {
    const app = createApp(QUIET)
      .get('/', () => 'home')
      .override(Clock, { now: () => 0 });
    expect(await refusalOf(app)).toContain('[TA107] Cannot build Clock');
  });
});

describe('clean-up', () => {
  it('of a handler scope is over before the first byte, of a request scope after the last', async () => {
    const log: string[] = [];
    const handlerScoped = noted(log, 'handler', 'handler');
    const requestScoped = noted(log, 'request', 'request');
    const more = Promise.withResolvers<void>();
    const app = createApp(QUIET).get('/', { in: { handlerScoped, requestScoped } }, () => {
      log.push('handler returns');
      return (async function* () {
        yield 'first';
        await more.promise;
        log.push('last line made');
        yield 'last';
      })();
    });
    await using server = await serve(app);
    const response = await server.fetch('/');
    const reader = response.body!.getReader();
    await reader.read();
    expect(log).toEqual(['handler returns', 'handler ended']);
    more.resolve();
    while (!(await reader.read()).done);
    await app.close();
    expect(log).toEqual(['handler returns', 'handler ended', 'last line made', 'request ended']);
  });

  it('of a request scope comes after its background tasks', async () => {
    const log: string[] = [];
    const session = noted(log, 'session', 'request');
    const app = createApp(QUIET).post(
      '/',
      { in: { session, tasks: BackgroundTasks } },
      ({ tasks }) => void tasks.add(() => log.push('task')),
    );
    await using server = await serve(app);
    expect((await server.post('/', {})).status).toBe(204);
    await app.tasks.settled();
    expect(log).toEqual(['task', 'session ended']);
  });

  it('sees the error of the handler at its yield, first what was made last', async () => {
    const log: string[] = [];
    const outer = noted(log, 'request', 'request');
    const inner = noted(log, 'handler', 'handler');
    const app = createApp(QUIET).get('/', { in: { outer, inner } }, () => {
      throw new Error('boom');
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    await app.close();
    expect(log).toEqual(['handler saw boom', 'request saw boom']);
  });

  it('that swallows the error of the handler does not make a success of it', async () => {
    const forgiving = dependency(
      {},
      function* (): Generator<number, void> {
        try {
          yield 1;
        } catch {
          // all is well
        }
      },
      { scope: 'handler' },
    );
    const app = createApp(QUIET).get('/', { in: { forgiving } }, () => {
      throw new Error('boom');
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
  });

  it('of a handler scope that fails is the answer: a failed commit is no success', async () => {
    const tx = dependency(
      {},
      async function* (): AsyncGenerator<number, void> {
        yield 1;
        throw new Error('commit failed');
      },
      { scope: 'handler' },
    );
    const app = createApp(QUIET).post('/', { in: { tx } }, () => ({ ok: true }));
    await using server = await serve(app);
    expect((await server.post('/', {})).status).toBe(500);
  });

  it('of a request scope that fails is none of the client’s business, and stops no other', async () => {
    const log: string[] = [];
    const first = noted(log, 'first', 'request');
    const broken = dependency({ first }, function* (): Generator<number, void> {
      yield 1;
      throw new Error('stuck');
    });
    const app = createApp(QUIET).get('/', { in: { broken } }, () => ({ ok: true }));
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual({ ok: true });
    await app.close();
    expect(log).toEqual(['first ended']);
  });

  it('happens when the client has left before the answer', async () => {
    const log: string[] = [];
    const ended = Promise.withResolvers<void>();
    const session = dependency({}, function* (): Generator<string, void> {
      yield 'session';
      log.push('session ended');
      ended.resolve();
    });
    const arrived = Promise.withResolvers<void>();
    const app = createApp(QUIET).get('/', { in: { session } }, async ({ ctx }) => {
      const left = once(ctx.signal, 'abort');
      arrived.resolve();
      await left;
      log.push('client left');
      return 'too late';
    });
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await arrived.promise;
    socket.destroy();
    await ended.promise;
    expect(log).toEqual(['client left', 'session ended']);
  });

  it('happens to what was made before an input turned out not to be valid', async () => {
    const log: string[] = [];
    const session = noted(log, 'session', 'request');
    @Controller()
    class Notes {
      @Post('/')
      add(
        @Depends(session) _session: string,
        @Body(Type.Object({ text: Type.String() })) body: object,
      ) {
        return body;
      }
    }
    const app = createApp(QUIET).include(Notes);
    await using server = await serve(app);
    expect((await server.post('/', { text: 1 })).status).toBe(422);
    await app.close();
    expect(log).toEqual(['session saw One input value is not valid.']);
  });

  it('of singletons happens when the app closes, the provided values excepted', async () => {
    const ended: string[] = [];
    @Injectable()
    class Pool {
      constructor(readonly name: string) {}
      [Symbol.dispose]() {
        ended.push(this.name);
      }
    }
    const Ours = token<Pool>('Ours');
    const make = dependency(
      {},
      function* (): Generator<Pool, void> {
        using pool = new Pool('ours');
        yield pool;
      },
      { scope: 'singleton' },
    );
    const app = createApp(QUIET)
      .provide(Pool, { value: new Pool('theirs') })
      .provide(Ours, { make })
      .get('/', { in: { pool: Pool, ours: Ours } }, ({ pool, ours }) => [pool.name, ours.name]);
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual(['theirs', 'ours']);
    expect(ended).toEqual([]);
    await app.close();
    expect(ended).toEqual(['ours']);
  });
});

describe('a controller', () => {
  it('is one object for all requests, unless it says otherwise', async () => {
    @Controller('/one')
    class One {
      count = 0;
      @Get('/')
      next() {
        return { count: (this.count += 1) };
      }
    }
    @Injectable({ scope: 'request' })
    @Controller('/many')
    class Many extends One {}
    await using server = await serve(createApp(QUIET).include(One, Many));
    const twice = async (path: string) => {
      await server.fetch(path);
      return (await server.fetch(path)).json();
    };
    expect(await twice('/one')).toEqual({ count: 2 });
    expect(await twice('/many')).toEqual({ count: 1 });
  });
});

describe('app.explain()', () => {
  @Injectable({ scope: 'request' })
  class Audit {
    constructor(readonly ctx: Context) {}
  }
  const tx = dependency(
    { audit: Audit },
    async function* (): AsyncGenerator<number, void> {
      yield 1;
    },
    { name: 'tx', scope: 'handler' },
  );

  it('draws what a dependency is made of, before the app has started', () => {
    expect(createApp(QUIET).explain(tx)).toBe(
      [
        'tx — handler, because its dependency() says so, and has to for Audit; ended by its scope, after the handler and before the response (the code after its yield)',
        '└─ audit: Audit — request, because its decorator says so, and has to for Context',
        '   └─ ctx: Context — request, because it comes with the HTTP request',
      ].join('\n'),
    );
  });

  it('draws every route once it has', async () => {
    const app = createApp(QUIET).get('/', { in: { tx } }, () => 'home');
    await using _ = await serve(app);
    expect(app.explain()).toMatch(/^GET \/\ntx: tx — handler/);
  });
});
