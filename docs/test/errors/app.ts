import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { adminConsole, type ConsoleOptions } from '@thereafter/console';
import { jobs } from '@thereafter/queue';
import { memory } from '@thereafter/queue/testing';
import {
  body,
  config,
  createApp,
  defineTask,
  HttpClient,
  HttpReply,
  NotFound,
  path,
  Problem,
  sse,
  type App,
  type Context,
} from 'thereafter';
import { testApp } from 'thereafter/testing';
import { Type } from 'typebox';
import { faultOf, listen, QUIET, thrownBy, type Programs } from './programs.ts';

const greet = (): string => 'hello';

const JSON_TYPE = { 'content-type': 'application/json' };

/** What a handler gets hold of while it answers a request. */
async function seenBy(
  handler: (ctx: Context) => Promise<unknown>,
  init?: RequestInit,
): Promise<unknown> {
  let seen: unknown;
  const answer = async ({ ctx }: { ctx: Context }): Promise<void> => {
    seen = await handler(ctx);
  };
  await using app = createApp(QUIET).get('/', answer).post('/', answer);
  await fetch(await listen(app), init);
  return seen;
}

/** The error that the log of an app has of a request. */
async function loggedBy(app: App): Promise<unknown> {
  const logged = Promise.withResolvers<unknown>();
  app.use((ctx, next) => {
    ctx.log.error = (fields) => logged.resolve((fields as { err: unknown }).err);
    return next();
  });
  await using _ = app;
  await fetch(await listen(app)).catch(() => undefined); // some answers are cut
  return await logged.promise;
}

/** Why an event stream ended that sends more than its client reads. */
async function unreadStream(): Promise<{ readonly reason: unknown; readonly logged: unknown }> {
  const ended = Promise.withResolvers<unknown>();
  const logged = Promise.withResolvers<unknown>();
  const app = createApp(QUIET).get('/', ({ ctx }) => {
    ctx.log.error = (fields) => logged.resolve((fields as { err: unknown }).err);
    return sse((stream) => {
      stream.signal.addEventListener('abort', () => ended.resolve(stream.signal.reason));
      const feed = setInterval(() => stream.send({ data: 'x'.repeat(64 * 1024) }), 0);
      return () => clearInterval(feed);
    });
  });
  await using _ = app;
  const socket = connect(Number(new URL(await listen(app)).port)).on('error', () => undefined);
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  socket.pause();
  const result = { reason: await ended.promise, logged: await logged.promise };
  socket.destroy();
  return result;
}

async function upstreamRefusal(path: string): Promise<unknown> {
  await using app = createApp(QUIET).get('/text', () => 'not JSON');
  const url = await listen(app);
  await using http = new HttpClient();
  return await thrownBy(() => http.json(url + path));
}

export const app: Programs = {
  async APP_CLOSED() {
    const closed = createApp(QUIET).get('/', greet);
    await using t = await testApp(closed).start();
    await closed.close();
    return await thrownBy(() => t.get('/'));
  },

  async APP_INVALID() {
    return await thrownBy(() => createApp(QUIET).get('/', greet).get('/', greet).listen());
  },

  async APP_NOT_STARTED() {
    return await thrownBy(() => createApp(QUIET).close());
  },

  async APP_STARTED() {
    await using started = createApp(QUIET).get('/', greet);
    await listen(started);
    return await thrownBy(() => started.get('/late', greet));
  },

  async APP_WITHOUT_JOBS() {
    return await thrownBy(() => createApp(QUIET).work());
  },

  async BODY_TAKEN() {
    let refusal: unknown;
    await using app = createApp(QUIET).post(
      '/',
      { in: { sent: body(Type.Any()) } },
      async (values) => {
        refusal = await thrownBy(() => values.ctx.request.text());
      },
    );
    await fetch(await listen(app), { method: 'POST', body: '{}', headers: JSON_TYPE });
    return refusal;
  },

  async CLIENT_LEFT() {
    const seen = Promise.withResolvers<unknown>();
    const begun = Promise.withResolvers<void>();
    await using waiting = createApp(QUIET).get('/', async ({ ctx }) => {
      begun.resolve();
      await once(ctx.signal, 'abort');
      seen.resolve(ctx.signal.reason);
    });
    const leaving = new AbortController();
    const asked = thrownBy(async () => fetch(await listen(waiting), leaving));
    await begun.promise;
    leaving.abort();
    await asked;
    return await seen.promise;
  },

  async CONFIG_INVALID() {
    const Settings = config(Type.Object({ ERRORS_TEST_MISSING: Type.String() }));
    return await thrownBy(() =>
      listen(createApp(QUIET).get('/', { in: { settings: Settings } }, greet)),
    );
  },

  async CONSOLE_OPEN() {
    return await thrownBy(() => adminConsole({} as ConsoleOptions));
  },

  ERROR_HANDLER_FAILED: () =>
    loggedBy(
      createApp(QUIET)
        .onError(RangeError, () => {
          throw new Error('no answer either');
        })
        .get('/', () => {
          throw new RangeError('too far');
        }),
    ),

  EVENT_STREAM_OVER: async () => (await unreadStream()).reason,

  EVENT_STREAM_UNREAD: async () => (await unreadStream()).logged,

  async JOBS_NOT_STORED() {
    const task = defineTask({ name: 'send', payload: Type.Object({}), durable: true }, greet);
    let refusal: unknown;
    const full = { enqueue: () => Promise.reject(new Error('the disk is full')) };
    const driver = Object.assign(memory(), full);
    await using posting = createApp({ ...QUIET, jobs: jobs({ driver }) })
      .include(task)
      .onError(Error, (error) => {
        refusal = error;
        return new NotFound();
      })
      .get('/', ({ ctx }) => ctx.tasks.add(task, {}).id);
    await fetch(await listen(posting));
    return refusal;
  },

  async LISTEN_FAILED() {
    await using first = createApp(QUIET).get('/', greet);
    const port = Number(new URL(await listen(first)).port);
    return await thrownBy(() => createApp(QUIET).listen({ port, host: '127.0.0.1' }));
  },

  OPENAPI_OPERATION_ID: () =>
    faultOf(
      createApp(QUIET)
        .get('/a', { operationId: 'mine' }, greet)
        .get('/b', { operationId: 'mine' }, greet),
    ),

  OPENAPI_PROBLEM() {
    class Picky extends Problem {
      override readonly status: number;
      constructor(reason: { readonly status: number }) {
        super();
        this.status = reason.status.valueOf();
      }
    }
    return faultOf(createApp(QUIET).get('/', { errors: [Picky] }, greet));
  },

  OPENAPI_REF: () =>
    faultOf(createApp(QUIET).get('/', { response: Type.Array(Type.Ref('Nobody')) }, () => [])),

  OPENAPI_TYPE: () => faultOf(createApp(QUIET).get('/', { response: Type.BigInt() }, () => 1n)),

  PROBLEM: () =>
    seenBy(async ({ request }) => thrownBy(() => Promise.reject(new NotFound(request.url)))),

  RESPONSE_BODY_USED() {
    const response = new Response('read');
    response.body!.getReader();
    return loggedBy(createApp(QUIET).get('/', () => response));
  },
  RESPONSE_LENGTH() {
    const headers = { 'content-length': '3' };
    return loggedBy(
      createApp(QUIET).get('/', () => new HttpReply(Readable.from(['ab']), { headers })),
    );
  },
  RESPONSE_MISMATCH: () =>
    loggedBy(
      createApp(QUIET).get('/', { response: Type.Object({ name: Type.String() }) }, () => ({
        name: 1 as unknown as string,
      })),
    ),

  ROUTE_CONFLICT: () =>
    faultOf(createApp(QUIET).get('/users/:id', greet).get('/users/:name', greet)),

  ROUTE_PATH_INVALID: () => faultOf(createApp(QUIET).get('/:id(^(a+)+$)', greet)),

  SCHEMA_INVALID: () =>
    faultOf(createApp(QUIET).get('/', { response: Type.String({ pattern: '((' }) }, greet)),

  TA114: () =>
    faultOf(createApp(QUIET).get('/:id', { in: { id: path('idd', Type.Integer()) } }, greet)),

  async TASKS_HELD() {
    const adding = createApp(QUIET).get('/', ({ ctx }) => ctx.tasks.add(greet).id);
    await using t = await testApp(adding, { tasks: 'hold' }).start();
    await t.get('/');
    return await thrownBy(() => t.tasks.settled());
  },

  UPSTREAM_BODY: () => upstreamRefusal('/text'),

  UPSTREAM_STATUS: () => upstreamRefusal('/nowhere'),
};
