import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  body,
  createApp,
  file,
  form,
  dependency,
  Injectable,
  query,
  Task,
  token,
  type App,
  type Context,
} from 'thereafter';
import { AppStateError } from 'thereafter/errors';
import { testApp, type TestAppOptions } from 'thereafter/testing';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { QUIET } from '../support/serve.ts';

const Note = Type.Object({ text: Type.String() });

@Injectable()
class Board {
  readonly notes: string[] = [];
}

@Task(Note)
class Pin {
  constructor(private board: Board) {}
  run({ text }: { text: string }): void {
    this.board.notes.push(text);
  }
}

function pinning(): App {
  return createApp(QUIET)
    .get('/', ({ ctx }) => {
      ctx.tasks.add(Pin, { text: 'pinned' });
      return { pinned: 1 };
    })
    .include(Pin);
}

describe.each(['memory', 'socket'] as const)('testApp over a %s', (over) => {
  const start = (app: App, options: TestAppOptions = {}) => testApp(app, { over, ...options });

  it('gives real Response objects', async () => {
    const app = createApp(QUIET)
      .get('/', ({ ctx }) => ({ method: ctx.method, note: ctx.headers['x-note'] }))
      .delete('/', () => undefined);
    await using t = await start(app).start();
    const response = await t.get('/', { headers: { 'x-note': 'hi' } });
    expect(response).toBeInstanceOf(Response);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ method: 'GET', note: 'hi' });
    expect((await t.delete('/')).status).toBe(204);
    const head = await t.request('HEAD', '/');
    expect(head.headers.get('content-type')).toBe('application/json');
    expect(await head.text()).toBe('');
    expect((await t.get('/nowhere')).status).toBe(404);
  });

  it('sends the FormData that Node has', async () => {
    const app = createApp(QUIET).post(
      '/',
      { in: { word: form('word', Type.String()), photo: file('photo') } },
      ({ word, photo }) => ({ word, photo: photo.name }),
    );
    await using t = await start(app).start();
    const sent = new FormData();
    sent.append('word', 'hello');
    sent.append('photo', new Blob(['content']), 'photo.png');
    const response = await t.post('/', { body: sent });
    expect(await response.json()).toEqual({ word: 'hello', photo: 'photo.png' });
  });

  it('sends JSON, text and bytes', async () => {
    const app = createApp(QUIET).post('/', async ({ ctx }) => ({
      type: ctx.headers['content-type'],
      text: await ctx.request.text(),
    }));
    await using t = await start(app).start();
    expect(await (await t.post('/', { json: { a: 1 } })).json()).toEqual({
      type: 'application/json',
      text: '{"a":1}',
    });
    expect(await (await t.post('/', { body: 'plain' })).json()).toEqual({ text: 'plain' });
    const big = Buffer.alloc(512 * 1024, 'x');
    expect((await (await t.post('/', { body: big })).json()).text).toHaveLength(big.length);
  });

  it('answers before the background tasks have run', async () => {
    const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
    const events: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(async () => {
        await isRead;
        events.push('task');
      });
      return 'answer';
    });
    await using t = await start(app).start();
    expect(await (await t.get('/')).text()).toBe('answer');
    events.push('read');
    read();
    await t.tasks.settled();
    expect(events).toEqual(['read', 'task']);
  });

  it('holds tasks until they are drained, and then those that they add', async () => {
    const ran: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'outer' }).add(() => {
        ran.push('outer');
        ctx.tasks.with({ name: 'inner' }).add(() => void ran.push('inner'));
      });
      return 'answer';
    });
    await using t = await start(app, { tasks: 'hold' }).start();
    await t.get('/');
    await t.get('/');
    expect(ran).toEqual([]);
    expect(t.tasks.added().map(({ name, status }) => `${name} ${status}`)).toEqual([
      'outer waiting',
      'outer waiting',
    ]);
    await t.tasks.drain();
    expect(ran.toSorted()).toEqual(['inner', 'inner', 'outer', 'outer']);
    await t.get('/');
    expect(t.tasks.added().at(-1)).toMatchObject({ name: 'outer', status: 'waiting' });
  });

  it('lists what was added by task class, with payload and status', async () => {
    await using t = await start(pinning(), { tasks: 'hold' }).start();
    await t.get('/');
    expect(t.tasks.added(Pin)).toMatchObject([{ payload: { text: 'pinned' }, status: 'waiting' }]);
    await t.tasks.drain();
    expect(t.tasks.added(Pin)).toMatchObject([{ status: 'succeeded' }]);
    expect((await t.resolve(Board)).notes).toEqual(['pinned']);
  });

  it('lists tasks that were not held, too', async () => {
    await using t = await start(pinning()).start();
    await t.get('/');
    await t.tasks.drain();
    await t.get('/');
    await t.tasks.settled();
    expect(t.tasks.added(Pin)).toMatchObject([{ status: 'succeeded' }, { status: 'succeeded' }]);
    expect(new Set(t.tasks.added().map(({ id }) => id)).size).toBe(2);
  });

  it('keeps the limits of the app', async () => {
    const app = createApp({ ...QUIET, limits: { maxBodyBytes: 10 } })
      .post('/', { in: { text: body.text() } }, ({ text }) => text)
      .post('/unread', () => 'answer');
    await using t = await start(app).start();
    expect(await (await t.post('/', { body: 'short' })).text()).toBe('short');
    expect((await t.post('/', { body: 'longer than ten' })).status).toBe(413);
    const unread = await t.post('/unread', { body: Buffer.alloc(100_000) });
    expect([unread.headers.get('connection'), await unread.text()]).toEqual(['close', 'answer']);
    expect(await (await t.post('/', { body: 'again' })).text()).toBe('again');
  });

  it('lets the app end by itself, and takes no requests then', async () => {
    const app = createApp(QUIET).get('/', () => 'answer');
    await using t = await start(app).start();
    expect(await (await t.get('/')).text()).toBe('answer');
    expect(await app.close()).toEqual({ abandoned: [] });
    await expect(t.get('/')).rejects.toThrow(/app is closed|ECONNREFUSED/);
  });

  it('discards held tasks at the end, and ends their requests', async () => {
    const events: string[] = [];
    const resource = dependency({}, async function* (): AsyncGenerator<number, void> {
      yield 1;
      events.push('disposed');
    });
    const app = createApp(QUIET).get('/', { in: { resource } }, ({ ctx }) => {
      ctx.tasks.add(() => void events.push('ran'));
      return 'answer';
    });
    {
      await using t = await start(app, { tasks: 'hold' }).start();
      await t.get('/');
    }
    expect(events).toEqual(['disposed']);
  });

  it('tells when the client leaves', async () => {
    const { promise: left, resolve: leave } = Promise.withResolvers<string | undefined>();
    const arrived = Promise.withResolvers<void>();
    const app = createApp(QUIET).get('/', ({ ctx }: { ctx: Context }) => {
      ctx.signal.addEventListener('abort', () => leave(ctx.outcome));
      arrived.resolve();
      return left; // close() waits for handlers
    });
    await using t = await start(app).start();
    const controller = new AbortController();
    const response = t.get('/', { signal: controller.signal });
    await arrived.promise;
    controller.abort();
    await expect(response).rejects.toThrow('abort');
    expect(await left).toBe('aborted');
  });
});

describe('testApp', () => {
  it('replaces classes, tokens and function dependencies, of which only the used parts are needed', async () => {
    const Greeting = token<string>('Greeting');
    @Injectable()
    class Speaker {
      constructor() {
        throw new Error('must not be built');
      }
      say(text: string): string {
        return text;
      }
      shout(text: string): string {
        return text.toUpperCase();
      }
    }
    const user = dependency({ name: query('name', Type.String()) }, ({ name }) => ({ name }));
    const app = createApp(QUIET).get(
      '/',
      { in: { greeting: Greeting, speaker: Speaker, user } },
      ({ greeting, speaker, user: { name } }) => speaker.say(`${greeting} ${name}`),
    );
    await using t = await testApp(app)
      .override(Greeting, 'hi')
      .override(Speaker, { say: (text) => `${text}!` })
      .override(user, { name: 'Ada' })
      .start();
    expect(await (await t.get('/')).text()).toBe('hi Ada!');
  });

  it('wins with its overrides over those of the app, and need not use them', async () => {
    const Greeting = token<string>('Greeting');
    const app = createApp(QUIET)
      .get('/', { in: { greeting: Greeting } }, ({ greeting }) => greeting)
      .provide(Greeting, { value: 'provided' })
      .override(Greeting, 'of the app');
    await using t = await testApp(app)
      .override(Greeting, 'of the test')
      .override(token<string>('Unused'), 'nobody asks')
      .start();
    expect(await (await t.get('/')).text()).toBe('of the test');
  });

  it('refuses an override of the app that nobody uses', async () => {
    const app = createApp(QUIET).override(token<string>('Unused'), 'nobody asks');
    await expect(testApp(app).start()).rejects.toThrow(/Unused: it is overridden/);
  });

  it('fails as listen() does when the app cannot start', async () => {
    const app = createApp(QUIET).get('/', { in: { gone: token<string>('Gone') } }, () => 'never');
    await expect(testApp(app).start()).rejects.toThrow('nothing provides Gone');
  });

  it('refuses an app that runs', async () => {
    const app = createApp(QUIET);
    await using _ = await testApp(app).start();
    await expect(testApp(app).start()).rejects.toThrow(AppStateError);
  });

  it('refuses to wait for tasks that are held', async () => {
    await using t = await testApp(pinning(), { tasks: 'hold' }).start();
    await t.get('/');
    await expect(t.tasks.settled()).rejects.toThrow('Pin is held. Use drain().');
  });

  it('runs the lifespan', async () => {
    const events: string[] = [];
    const app = createApp(QUIET).lifespan(async function* () {
      events.push('start');
      yield;
      events.push('end');
    });
    {
      await using _ = await testApp(app).start();
      expect(events).toEqual(['start']);
    }
    expect(events).toEqual(['start', 'end']);
  });

  it('works in a test that node --test runs', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--conditions=thereafter-source',
        '--import',
        join(import.meta.dirname, '../../../cli/src/register.ts'),
        '--test',
        join(import.meta.dirname, '../programs/node-test.ts'),
      ],
      { env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    expect(stdout).toContain('signup adds a welcome task');
    expect(stdout).toMatch(/pass 1\b/);
    expect(stdout).toMatch(/fail 0\b/);
  });
});
