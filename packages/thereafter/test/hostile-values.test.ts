import { trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { Readable } from 'node:stream';
import { createContext, runInContext } from 'node:vm';
import { pino } from 'pino';
import { createApp, dependency, sse, type App, type AppLog, type Context } from 'thereafter';
import { accessLog } from 'thereafter/access-log';
import { health } from 'thereafter/health';
import { metrics } from 'thereafter/metrics';
import { rateLimit } from 'thereafter/rate-limit';
import { telemetry } from 'thereafter/telemetry';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { printFailure } from '../src/shutdown.ts';
import { serve } from './support/serve.ts';

/** Values that throw at whoever looks at them, or that refuse what is usual with errors. */
const hostile: Record<string, () => unknown> = {
  'a frozen error': () => Object.freeze(new Error('frozen')),
  'an error that takes no property': () => Object.preventExtensions(new Error('closed')),
  'a sealed error': () => Object.seal(new Error('sealed')),
  'an aggregate of a frozen error': () =>
    Object.freeze(new AggregateError([Object.freeze(new Error('inner'))], 'outer')),
  'an error with a frozen cause': () =>
    new Error('outer', { cause: Object.freeze(new Error('in')) }),
  'an error with a frozen property': () =>
    Object.assign(new Error('outer'), { other: Object.freeze(new Error('in')) }),
  'an error that is its own cause': () => {
    const error = new Error('cycle');
    error.cause = error;
    return error;
  },
  'an error with throwing getters': () => withGetters(new Error('getters')),
  'an object with throwing getters': () => withGetters({}),
  'a value whose then throws': () =>
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    Object.defineProperty({}, 'then', {
      get() {
        throw new Error('do not wait for me');
      },
    }),
  'a thenable that answers twice': () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      resolve('once');
      reject(new Error('twice'));
      resolve('thrice');
    },
  }),
  'a thenable that throws': () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    then() {
      throw Object.freeze(new Error('in then'));
    },
  }),
  'a function that is a thenable': () =>
    // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
    Object.assign(() => undefined, { then: (resolve: (v: unknown) => void) => resolve('late') }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'a revoked function': () => {
    const { proxy, revoke } = Proxy.revocable(() => undefined, {});
    revoke();
    return proxy;
  },
  'a proxy that throws at everything': () =>
    new Proxy(
      {},
      new Proxy(
        {},
        {
          get() {
            throw new Error('no trap for you');
          },
        },
      ),
    ),
  'an error of another realm': () => runInContext('new Error("elsewhere")', createContext({})),
  'a cycle': () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    return value;
  },
  'a bigint': () => 10n ** 40n,
  'an object with a bigint': () => ({ n: 1n }),
  'a symbol': () => Symbol('of nothing'),
  'an object without a prototype': () => Object.create(null) as object,
  'a long text': () => 'x'.repeat(1 << 20),
  'an error with a long message': () => new Error('x'.repeat(1 << 20)),
  undefined: () => undefined,
  null: () => null,
  NaN: () => Number.NaN,
};

function withGetters<T extends object>(target: T): T {
  for (const name of ['message', 'name', 'stack', 'code', 'cause', 'then', 'status', 'toJSON']) {
    Object.defineProperty(target, name, {
      enumerable: true,
      get() {
        throw new Error(`the getter of ${name}`);
      },
    });
  }
  return target;
}

type Make = () => unknown;

/** What user code may do with such a value, by the path of the route that does it. */
const places: Record<string, (app: App, path: `/${string}`, make: Make) => void> = {
  'thrown by a handler': (app, path, make) =>
    app.get(path, () => {
      throw make();
    }),
  'rejected with by a handler': (app, path, make) => app.get(path, () => rejected(make())),
  'returned by a handler': (app, path, make) => app.get(path, () => make()),
  'resolved with by a handler': (app, path, make) => app.get(path, async () => [make()]),
  'thrown by a dependency': (app, path, make) => {
    const broken = dependency({}, () => {
      throw make();
    });
    app.get(path, { in: { broken } }, () => 'never');
  },
  'given by a dependency': (app, path, make) =>
    app.get(path, { in: { given: dependency({}, () => make()) } }, () => 'ok'),
  'thrown by clean-up before the response': (app, path, make) =>
    cleanUp(app, path, make, 'handler'),
  'thrown by clean-up after it': (app, path, make) => cleanUp(app, path, make, 'request'),
  'thrown by a task': (app, path, make) =>
    app.get(path, ({ ctx }) => {
      ctx.tasks.add(() => {
        throw make();
      });
      return 'ok';
    }),
  'rejected with by a task': (app, path, make) =>
    app.get(path, ({ ctx }) => {
      ctx.tasks.add(() => rejected(make()));
      return 'ok';
    }),
  'returned by a task': (app, path, make) =>
    app.get(path, ({ ctx }) => {
      ctx.tasks.add(() => make());
      return 'ok';
    }),
  'thrown by middleware of a route': (app, path, make) =>
    app.get(
      path,
      {
        use: [
          () => {
            throw make();
          },
        ],
      },
      () => 'never',
    ),
  'returned by middleware of a route': (app, path, make) =>
    app.get(path, { use: [() => make() as Response] }, () => 'never'),
  'rejected with by middleware of a route': (app, path, make) =>
    app.get(path, { use: [() => rejected(make())] }, () => 'never'),
  'thrown at the end of the response': (app, path, make) => {
    const write = (): never => {
      throw make();
    };
    app.get(path, { use: [accessLog({ write })] }, () => 'ok');
  },
  'rejected with at the end of the response': (app, path, make) =>
    app.get(path, { use: [accessLog({ write: () => rejected(make()) })] }, () => 'ok'),
  'thrown by the key of a limit': (app, path, make) => {
    const key = (): never => {
      throw make();
    };
    app.get(path, { use: [rateLimit({ limit: 1, window: '1m', key })] }, () => 'never');
  },
  'rejected with by the store of a limit': (app, path, make) => {
    const store = { take: () => rejected(make()) };
    app.get(path, { use: [rateLimit({ limit: 1, window: '1m', store })] }, () => 'ok');
  },
  'rejected with by a health check': (app, path, make) => {
    const checks = { broken: () => rejected(make()) };
    app.get(path, { use: [health({ readyPath: path, checks })] }, () => 'never');
  },
  'thrown where it is traced and counted': (app, path, make) =>
    app.get(path, { use: [telemetry(), metrics()] }, ({ ctx }) => {
      ctx.tasks.with({ on: 'always' }).add(() => {
        throw make();
      });
      throw make();
    }),
  'thrown by an async iterable': (app, path, make) =>
    app.get(path, async function* () {
      yield 1;
      throw make();
    }),
  'yielded by an async iterable': (app, path, make) =>
    app.get(path, async function* () {
      yield make();
    }),
  'thrown by a stream of events': (app, path, make) =>
    app.get(path, () =>
      sse(async function* (): AsyncGenerator<{ data: number }> {
        yield { data: 1 };
        throw make();
      }),
    ),
  'thrown by a source of events at once': (app, path, make) =>
    app.get(path, () =>
      sse(() => {
        throw make();
      }),
    ),
  'the error of a web stream': (app, path, make) =>
    app.get(path, () => new Response(new ReadableStream({ pull: (c) => c.error(make()) }))),
  'the error of a returned web stream': (app, path, make) =>
    app.get(path, () => new ReadableStream({ pull: (c) => c.error(make()) })),
  'thrown within a Node stream': (app, path, make) =>
    app.get(path, () =>
      Readable.from(
        (async function* () {
          yield 'a';
          // Node itself reads the stack of what its stream is destroyed with, before we can.
          const value = make();
          throw hasStack(value) ? value : new Error('no stack');
        })(),
      ),
    ),
  'logged by a handler': (app, path, make) =>
    app.get(path, ({ ctx }) => {
      ctx.log.error({ err: make() }, 'logged');
      return 'ok';
    }),
  'a reason to abort': (app, path, make) =>
    app.get(path, ({ ctx }) => {
      ctx.tasks.add(async () => {
        const controller = new AbortController();
        controller.abort(make());
        controller.signal.throwIfAborted();
      });
      return 'ok';
    }),
};

function hasStack(value: unknown): boolean {
  try {
    return (value as Error | undefined)?.stack !== null;
  } catch {
    return false;
  }
}

function rejected(value: unknown): Promise<never> {
  return Promise.reject(value);
}

function cleanUp(app: App, path: `/${string}`, make: Make, scope: 'handler' | 'request'): void {
  const resource = dependency(
    {},
    async function* (): AsyncGenerator<string, void> {
      yield 'resource';
      throw make();
    },
    { scope },
  );
  app.get(path, { in: { resource } }, () => 'ok');
}

/** What a client may see: a value, nothing, a problem, or a body that is cut. */
const ANSWERS: readonly unknown[] = [200, 204, 500, 503, 'cut'];

beforeAll(() => void trace.setGlobalTracerProvider(new BasicTracerProvider()));

afterAll(() => trace.disable());

/** What nobody caught, while a test runs. */
let uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
let listeners: NodeJS.UncaughtExceptionListener[] = [];

beforeEach(() => {
  uncaught = [];
  listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', note);
});

afterEach(() => {
  process.removeAllListeners('uncaughtException');
  for (const listener of listeners) process.on('uncaughtException', listener);
});

/** A log that writes what it gets as pino does, and keeps it to itself. */
function quietLog(): AppLog {
  return pino({}, { write: () => undefined });
}

describe('a value of user code', () => {
  const cases = Object.keys(hostile).flatMap((value) =>
    Object.keys(places).map((place) => ({ value, place })),
  );

  it.each(Object.keys(places))('stays in its request when it is %s', async (place) => {
    const app = createApp({ logger: quietLog(), docs: false });
    app.get('/next', () => 'next');
    for (const [i, make] of Object.values(hostile).entries()) places[place]!(app, `/${i}`, make);
    await using server = await serve(app);
    for (const [i, name] of Object.keys(hostile).entries()) {
      const answer = await server.fetch(`/${i}`).then(
        async (response) => {
          await response.arrayBuffer().catch(() => undefined); // a body may break
          return response.status;
        },
        () => 'cut',
      );
      expect({ name, isAnswered: ANSWERS.includes(answer) }).toEqual({ name, isAnswered: true });
      const next = await server.fetch('/next');
      expect({ name, next: await next.text() }).toEqual({ name, next: 'next' });
    }
    await app.tasks.settled();
    expect(uncaught).toEqual([]);
  });

  it('stays in its request whatever the handlers of errors do with it', async () => {
    for (const [name, make] of Object.entries(hostile)) {
      const app = createApp({ logger: quietLog(), docs: false })
        .get('/throws', () => {
          throw new Error('first');
        })
        .get('/adds', ({ ctx }) => {
          ctx.tasks.add(() => {
            throw new Error('first');
          });
          return 'ok';
        })
        .onError(Error, () => {
          throw make();
        })
        .onTaskError(() => make());
      await using server = await serve(app);
      const { status } = await server.fetch('/throws');
      expect({ name, status }).toEqual({ name, status: 500 });
      expect((await server.fetch('/adds')).status).toBe(200);
      await app.tasks.settled();
      expect({ name, uncaught }).toEqual({ name, uncaught: [] });
    }
  });

  it.each(Object.keys(hostile))(
    'keeps no app from starting, ending and saying why: %s',
    async (name) => {
      const make = hostile[name]!;
      const failing = createApp({ logger: quietLog(), docs: false }).lifespan(async function* () {
        await rejected(make());
        yield;
      });
      const said = vi.spyOn(console, 'error').mockImplementation(() => undefined);
      try {
        await failing.listen({ port: 0, host: '127.0.0.1' }).then(
          () => expect.unreachable(),
          (error: unknown) => printFailure(error),
        );
        expect(said).toHaveBeenCalledOnce();
      } finally {
        said.mockRestore();
      }
      const app = createApp({ logger: quietLog(), docs: false }).lifespan(async function* () {
        yield;
        await rejected(make());
      });
      await app.listen({ port: 0, host: '127.0.0.1' });
      expect(await app.close()).toEqual({ abandoned: [] });
      expect(uncaught).toEqual([]);
    },
  );

  it('stays in its request in whatever order values and places come', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...cases), { maxLength: 12 }), async (chosen) => {
        const app = createApp({ logger: quietLog(), docs: false });
        for (const [i, { value, place }] of chosen.entries()) {
          places[place]!(app, `/${i}`, hostile[value]!);
        }
        await using server = await serve(app);
        await Promise.all(
          chosen.map((_, i) =>
            server
              .fetch(`/${i}`)
              .then(
                (r) => r.arrayBuffer(),
                () => undefined,
              )
              .catch(() => undefined),
          ),
        );
        await app.tasks.settled();
        expect(uncaught).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a log that throws', () => {
  const logs: Record<string, AppLog> = {
    throws: brokenLog(() => {
      throw Object.freeze(new Error('the disk is full'));
    }),
    rejects: brokenLog(() => rejected(new Error('the disk is full'))),
  };

  function brokenLog(write: () => unknown): AppLog {
    const log = { info: write, error: write, child: () => log } as AppLog;
    return log;
  }

  it.each(Object.keys(logs))(
    'leaves no task pending and no request open when it %s',
    async (how) => {
      const app = createApp({ logger: logs[how]!, docs: false })
        .get('/throws', () => {
          throw new Error('first');
        })
        .get('/adds', ({ ctx }: { ctx: Context }) => {
          ctx.tasks.add(() => {
            throw new Error('first');
          });
          ctx.tasks.with({ on: 'error' }).add(() => undefined);
          return 'ok';
        });
      await using server = await serve(app);
      expect((await server.fetch('/throws')).status).toBe(500);
      expect((await server.fetch('/adds')).status).toBe(200);
      await app.tasks.settled();
      expect(app.tasks.pending).toBe(0);
      expect(uncaught).toEqual([]);
    },
  );
});
