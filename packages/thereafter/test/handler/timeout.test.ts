import { Readable } from 'node:stream';
import { createApp, dependency, NotFound, type App, type AppOptions } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { capturedLog } from '../support/captured-log.ts';
import { QUIET, serve } from '../support/serve.ts';
import { gate, recordTasks } from '../support/tasks-record.ts';

function impatient(options: AppOptions = {}): App {
  return createApp({ ...QUIET, handlerTimeout: '20ms', ...options });
}

describe('handlerTimeout', () => {
  it('answers 503 and aborts the signal, with the reason in the log', async () => {
    const { logger, lines } = capturedLog();
    const aborted = gate();
    let reason: unknown;
    const app = impatient({ logger }).get('/', async ({ ctx }) => {
      ctx.signal.addEventListener('abort', () => {
        reason = ctx.signal.reason;
        aborted.open();
      });
      await new Promise(() => undefined);
    });
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 503, instance: '/' });
    await aborted.opened;
    expect(reason).toMatchObject({ status: 503 });
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: 'request failed',
        err: expect.objectContaining({
          message: 'GET / took longer than its handlerTimeout of 20 ms.',
        }) as object,
      }),
    );
  });

  it('is aborted for who asks late', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const isOver = gate();
    const app = impatient().get('/', async ({ ctx }) => {
      await isOver.opened;
      resolve(ctx.signal.aborted);
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(503);
    isOver.open();
    expect(await promise).toBe(true);
  });

  it('of a route counts instead of that of the app', async () => {
    const slow = (): Promise<string> => new Promise((resolve) => setTimeout(resolve, 60, 'slow'));
    const app = impatient()
      .get('/never', { handlerTimeout: false }, slow)
      .get('/long', { handlerTimeout: '1h' }, slow)
      .get('/app', slow)
      .get('/soon', async () => 'soon')
      .get('/now', () => 'now');
    await using server = await serve(app);
    const statuses = ['/never', '/long', '/app', '/soon', '/now'].map(
      async (path) => (await server.fetch(path)).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 503, 200, 200]);
    const own = createApp(QUIET).get('/', { handlerTimeout: '20ms' }, slow);
    await using other = await serve(own);
    expect((await other.fetch('/')).status).toBe(503);
  });

  it('decides about tasks as an error does', async () => {
    using record = recordTasks();
    const app = impatient().get('/', async ({ ctx }) => {
      for (const on of ['return', 'sent', 'error', 'always'] as const) {
        ctx.tasks.with({ name: on, on }).add(() => undefined);
      }
      await new Promise(() => undefined);
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(503);
    await app.tasks.settled();
    expect(record.of('return')).toEqual(['queued', 'discarded']);
    for (const name of ['sent', 'error', 'always']) {
      expect(record.of(name)).toEqual(['queued', 'started', 'succeeded']);
    }
  });

  it('drops what the handler gives later, and lets go of it', async () => {
    const isOver = gate();
    const cancelled = gate();
    const stream = new Readable({ read: () => undefined });
    const results: Record<string, () => unknown> = {
      stream: () => stream,
      response: () => new Response(new ReadableStream({ cancel: () => cancelled.open() })),
      text: () => 'late',
      error: () => {
        throw new NotFound('late');
      },
    };
    const app = impatient().get('/late/:name', async ({ ctx }) => {
      await isOver.opened;
      return results[ctx.params['name']!]!();
    });
    await using server = await serve(app);
    for (const name of Object.keys(results)) {
      expect((await server.fetch(`/late/${name}`)).status).toBe(503);
    }
    isOver.open();
    await cancelled.opened;
    await expect.poll(() => stream.destroyed).toBe(true);
    expect((await server.fetch('/nowhere')).status).toBe(404);
  });

  it('ends what was made for the request, with what is made later', async () => {
    const events: string[] = [];
    const isOver = gate();
    const ended = gate();
    const early = dependency({}, async function* () {
      yield 'early';
      events.push('early ends');
    });
    const late = dependency({ early }, async function* () {
      await isOver.opened;
      events.push('late begins');
      try {
        yield 'late';
      } finally {
        events.push('late ends');
        ended.open();
      }
    });
    const app = impatient().get('/', { in: { late } }, () => events.push('the handler runs'));
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(503);
    await app.tasks.settled();
    isOver.open();
    await ended.opened;
    expect(events).not.toContain('the handler runs'); // it had not begun
    expect(events.slice(-2)).toEqual(['late begins', 'late ends']);
  });

  it('is no longer than a timer of Node can be', async () => {
    const app = createApp({ ...QUIET, handlerTimeout: '60d' }).get('/', async () => {
      const isLater = gate();
      setTimeout(isLater.open, 10); // a timer that is too long fires after a millisecond, and so before
      await isLater.opened;
      return 'ok';
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
  });

  it.each(['soon', '-5s', '5'])('%j is refused at the start', async (handlerTimeout) => {
    const wrong = handlerTimeout as '5s'; // what plain JavaScript can pass
    const refused = { code: 'APP_INVALID' };
    const ofApp = createApp({ ...QUIET, handlerTimeout: wrong }).get('/', () => 'ok');
    await expect(ofApp.listen({ port: 0 })).rejects.toMatchObject(refused);
    const ofRoute = createApp(QUIET).get('/', { handlerTimeout: wrong }, () => 'ok');
    await expect(ofRoute.listen({ port: 0 })).rejects.toMatchObject(refused);
  });
});
