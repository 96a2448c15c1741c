import { afterEach, describe, expect, it } from 'vitest';
import {
  Controller,
  createApp,
  Get,
  Injectable,
  Task,
  type App,
  type AppBlueprint,
  type AppHost,
  type HostedApp,
} from '../src/index.ts';
import { Type } from 'typebox';

const HOST = Symbol.for('thereafter.host');
const place = globalThis as { [HOST]?: AppHost };
afterEach(() => {
  delete place[HOST];
});

let built = 0;

@Injectable()
class Counted {
  constructor() {
    built += 1;
  }
}

@Controller('/things')
class Things {
  constructor(readonly counted: Counted) {}

  @Get('/')
  list() {
    return [];
  }
}

@Task(Type.Object({}))
class Sweep {
  run() {}
}

const things = (): App => createApp({ title: 'Things' }).include(Things, Sweep);

/** A host that keeps every app from starting, and what it was told. */
function holdApps(): { app: HostedApp; blueprint: AppBlueprint }[] {
  const held: { app: HostedApp; blueprint: AppBlueprint }[] = [];
  place[HOST] = {
    admit: (app, blueprint) => {
      held.push({ app, blueprint });
      return false;
    },
  };
  return held;
}

describe('a host that admits no app', () => {
  it('is given the app and its blueprint instead of a start', async () => {
    const held = holdApps();
    built = 0;
    const app = things();
    let isSettled = false;
    void app.run().finally(() => (isSettled = true));
    expect(held).toHaveLength(1);
    expect(held[0]).toMatchObject({
      app,
      blueprint: {
        title: 'Things',
        docs: '/docs',
        routes: [{ method: 'GET', path: '/things', handler: 'Things.list' }],
        tasks: ['Sweep'],
      },
    });
    const { faults, graph } = held[0]!.blueprint.plan();
    expect(faults).toEqual([]);
    expect(graph).toMatch(/^Things\.list\nThings — singleton\n└─ counted: Counted — singleton/);
    await new Promise(setImmediate);
    expect({ built, isSettled }).toEqual({ built: 0, isSettled: false });
    expect(() => app.close()).toThrow('close() was called before listen()');
  });

  it('is told every fault by the plan', () => {
    const held = holdApps();
    void createApp({ docs: false })
      .get('/twice', () => 1)
      .get('/twice', () => 2)
      .listen();
    const { blueprint } = held[0]!;
    expect(blueprint.docs).toBeUndefined();
    expect(blueprint.plan().faults.map(({ message }) => message)).toEqual([
      expect.stringContaining('GET /twice is declared twice'),
    ]);
  });

  it('is not asked for an app that has started', async () => {
    await using app = createApp({ logger: false });
    await app.listen({ port: 0 });
    const held = holdApps();
    await expect(app.listen()).rejects.toMatchObject({ code: 'APP_STARTED' });
    expect(held).toEqual([]);
  });
});

describe('a host that admits apps', () => {
  it('says where they listen, and is told', async () => {
    const urls: string[] = [];
    place[HOST] = {
      admit: () => true,
      listen: { host: '127.0.0.1', port: 0 },
      listening: (url) => urls.push(url),
    };
    await using app = createApp({ logger: false });
    const { url } = await app.listen({ host: 'nowhere.invalid', port: 1 });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(urls).toEqual([url]);
  });

  it('decides how long they drain', async () => {
    place[HOST] = { admit: () => true, drainTimeout: '0s' };
    const app = createApp({ logger: false, shutdown: { drainTimeout: '1h', signals: false } });
    const { promise: asked, resolve: ask } = Promise.withResolvers<void>();
    app.get('/', ({ ctx }) => {
      ctx.tasks.add(function endless() {
        ask();
        return new Promise(() => undefined);
      });
      return 1;
    });
    const { url } = await app.listen({ port: 0 });
    await fetch(url);
    await asked;
    expect(await app.close()).toEqual({ abandoned: ['endless'] });
  });
});

describe('the variable HOST', () => {
  it('says which address to listen at', async () => {
    const { HOST: before } = process.env;
    process.env.HOST = '127.0.0.1';
    try {
      await using app = createApp({ logger: false });
      expect((await app.listen({ port: 0 })).url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    } finally {
      if (before === undefined) delete process.env.HOST;
      else process.env.HOST = before;
    }
  });
});
