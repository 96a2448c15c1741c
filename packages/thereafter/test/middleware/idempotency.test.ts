import { Readable } from 'node:stream';
import {
  body,
  createApp,
  defineTask,
  form,
  HttpReply,
  NotFound,
  ServiceUnavailable,
  type App,
  type Context,
} from 'thereafter';
import {
  idempotency,
  memoryStore,
  type IdempotencyOptions,
  type IdempotencyStore,
  type KnownKey,
} from 'thereafter/idempotency';
import { requestId } from 'thereafter/request-id';
import { Type } from 'typebox';
import { FormData } from 'undici';
import { describe, expect, it } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { MemoryEngine } from '../support/memory-engine.ts';
import { QUIET, serve, type Served } from '../support/serve.ts';

type Handler = (ctx: Context) => unknown;

/** An app whose handlers count how often they were asked. */
function counting(handler: Handler, options?: IdempotencyOptions) {
  const calls: string[] = [];
  const run = ({ ctx }: { ctx: Context }): unknown => {
    calls.push(ctx.path);
    return handler(ctx);
  };
  const app = createApp(QUIET).use(requestId()).use(idempotency(options));
  for (const path of ['/', '/other'] as const) {
    app.post(path, run).patch(path, run).put(path, run).get(path, run);
  }
  return { app, calls };
}

const send = (
  server: Served,
  key: string | undefined,
  { path = '/', method = 'POST', body = 'a', headers = {} }: Record<string, unknown> = {},
) =>
  server.fetch(path as string, {
    method: method as string,
    ...(method !== 'GET' && { body: body as string }),
    headers: { ...(key !== undefined && { 'idempotency-key': key }), ...(headers as object) },
  });

describe('idempotency', () => {
  it('does what has the same key once, and answers it the same', async () => {
    const { app, calls } = counting((ctx) => {
      ctx.header('set-cookie', 'a=1');
      ctx.header('set-cookie', 'b=2');
      ctx.header('location', '/orders/1');
      return new HttpReply({ order: calls.length }, { status: 201, headers: { 'x-own': 'yes' } });
    });
    await using server = await serve(app);
    const first = await send(server, 'k1');
    const again = await send(server, '"k1"'); // with quotes, as the draft has it
    expect(calls).toHaveLength(1);
    expect(again.status).toBe(201);
    expect(await again.text()).toBe(await first.text());
    const own = ({ headers }: typeof first): unknown => {
      const others = new Set(['date', 'x-request-id', 'idempotent-replayed']);
      return [...headers].filter(([name]) => !others.has(name));
    };
    expect(own(again)).toEqual(own(first));
    expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(first.headers.has('idempotent-replayed')).toBe(false);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await (await send(server, 'k2')).json()).toEqual({ order: 2 });
  });

  const answers: [string, () => unknown][] = [
    ['nothing', () => undefined],
    ['text', () => 'text'],
    ['bytes', () => Buffer.from([0, 255, 128])],
    ['a Response', () => Response.json({ a: 1 }, { status: 202 })],
    ['a stream', () => Readable.from(['a', 'b'])],
    ['an async iterable', () => ReadableStream.from([Buffer.from('x')])],
    ['no content', () => new HttpReply('x', { status: 204 })],
    ['a refusal that is returned', () => new HttpReply({ no: 1 }, { status: 409 })],
  ];
  it.each(answers)('gives %s again', async (_, answer) => {
    const { app, calls } = counting(answer);
    await using server = await serve(app);
    const seen = async (): Promise<unknown> => {
      const response = await send(server, 'k');
      const { status, headers } = response;
      return [status, headers.get('content-type'), Buffer.from(await response.arrayBuffer())];
    };
    expect(await seen()).toEqual(await seen());
    expect(calls).toHaveLength(1);
  });

  it('leaves alone what has no key, and methods that may be repeated anyway', async () => {
    const { app, calls } = counting(() => 'done');
    await using server = await serve(app);
    for (const method of ['POST', 'POST']) await send(server, undefined, { method });
    for (const method of ['PUT', 'PUT', 'GET', 'GET']) await send(server, 'k', { method });
    for (const method of ['PATCH', 'PATCH']) await send(server, 'k', { method });
    expect(calls).toHaveLength(7);
  });

  it('is a 409 while the first one is at work, of a hundred at once too', async () => {
    const go = Promise.withResolvers<string>();
    const started = Promise.withResolvers<void>();
    const { app, calls } = counting(() => {
      started.resolve();
      return go.promise;
    });
    await using server = await serve(app);
    const first = send(server, 'k');
    await started.promise;
    const others = await Promise.all(Array.from({ length: 100 }, () => send(server, 'k')));
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set([409]));
    go.resolve('done');
    expect(await (await first).text()).toBe('done');
    expect(await (await send(server, 'k')).text()).toBe('done');
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['body', { body: 'b' }],
    ['query', { path: '/?x=1' }],
    ['path', { path: '/other' }],
    ['method', { method: 'PATCH' }],
  ])('is a 422 with another %s', async (_, changed) => {
    const { app, calls } = counting(() => 'done');
    await using server = await serve(app);
    await send(server, 'k');
    const response = await send(server, 'k', changed);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ title: 'Idempotency-Key is already used' });
    expect(calls).toHaveLength(1);
  });

  it('is a 422 with another body while the first one is at work, too', async () => {
    const go = Promise.withResolvers<string>();
    const started = Promise.withResolvers<void>();
    const { app } = counting(() => {
      started.resolve();
      return go.promise;
    });
    await using server = await serve(app);
    const first = send(server, 'k');
    await started.promise;
    expect((await send(server, 'k', { body: 'b' })).status).toBe(422);
    go.resolve('done');
    await first;
  });

  it.each(['', '""', 'x'.repeat(256), 'a b', 'ü'])('is a 400 for the key %j', async (key) => {
    const { app, calls } = counting(() => 'done');
    await using server = await serve(app);
    expect((await send(server, key)).status).toBe(400);
    expect(calls).toEqual([]);
  });

  it('may be required, under another name', async () => {
    const { app } = counting(() => 'done', { required: true, header: 'X-Once' });
    await using server = await serve(app);
    const missing = await send(server, 'k');
    expect(missing.status).toBe(400);
    expect(await missing.json()).toMatchObject({ detail: 'This request needs the header X-Once.' });
    expect((await send(server, undefined, { headers: { 'x-once': 'k' } })).status).toBe(200);
  });

  it('keeps the keys of different callers apart', async () => {
    const { app, calls } = counting((ctx) => ctx.headers.authorization);
    await using server = await serve(app);
    for (const authorization of ['a', 'b', 'a']) {
      const response = await send(server, 'k', { headers: { authorization } });
      expect(await response.text()).toBe(authorization);
    }
    expect(calls).toHaveLength(2);
    const scoped = counting(() => 'done', { scope: (ctx) => String(ctx.headers['x-user']) });
    await using other = await serve(scoped.app);
    for (const user of ['1', '2', '1']) await send(other, 'k', { headers: { 'x-user': user } });
    expect(scoped.calls).toHaveLength(2);
  });

  it.each([
    [404, () => new NotFound()],
    [503, () => new ServiceUnavailable()],
    [500, () => new Error('broken')],
  ])('keeps no error: after a %i it is done anew', async (status, make) => {
    let isBroken = true;
    const { app } = counting(() => {
      if (isBroken) throw make();
      return 'done';
    });
    await using server = await serve(app);
    expect((await send(server, 'k')).status).toBe(status);
    isBroken = false;
    expect((await send(server, 'k')).status).toBe(200);
  });

  it('keeps no answer that was not given, since its durable tasks were not stored', async () => {
    const engine = new MemoryEngine();
    const task = defineTask({ name: 'pay', payload: Type.Null(), durable: true }, () => undefined);
    let calls = 0;
    const app = createApp({ ...QUIET, jobs: engine })
      .use(idempotency())
      .post('/', ({ ctx }) => {
        calls += 1;
        ctx.tasks.add(task, null);
        return 'paid';
      });
    await using server = await serve(app);
    engine.fault = new Error('the store is full');
    expect((await send(server, 'k')).status).toBe(503);
    engine.fault = undefined;
    expect((await send(server, 'k')).status).toBe(200);
    expect((await send(server, 'k')).headers.get('idempotent-replayed')).toBe('true');
    expect(calls).toBe(2);
  });

  it('runs background tasks of the first request only', async () => {
    const ran: string[] = [];
    const { app } = counting((ctx) => {
      ctx.tasks.add(() => void ran.push('task'));
      return 'done';
    });
    await using server = await serve(app);
    for (let time = 0; time < 3; time++) await send(server, 'k');
    await app.tasks.settled();
    expect(ran).toEqual(['task']);
  });

  it('leaves JSON and forms for the handler to read', async () => {
    const app: App = createApp(QUIET)
      .use(idempotency())
      .post('/json', { in: { sent: body(Type.Object({ a: Type.Integer() })) } }, (v) => v.sent)
      .post('/form', { in: { sent: form(Type.Object({ a: Type.String() })) } }, (v) => v.sent);
    await using server = await serve(app);
    const json = { 'content-type': 'application/json' };
    for (let time = 0; time < 2; time++) {
      const sent = { path: '/json', body: '{"a":1}', headers: json };
      expect(await (await send(server, 'k1', sent)).json()).toEqual({ a: 1 });
      const urlencoded = { path: '/form', body: new URLSearchParams({ a: 'x' }) };
      expect(await (await send(server, 'k2', urlencoded)).json()).toEqual({ a: 'x' });
      const multipart = new FormData();
      multipart.set('a', 'y');
      const uploaded = await server.fetch('/form', {
        method: 'POST',
        body: multipart,
        headers: { 'idempotency-key': 'k3' },
      });
      expect(await uploaded.json()).toEqual({ a: 'y' });
      expect(uploaded.headers.has('idempotent-replayed')).toBe(time === 1);
    }
  });

  it('sends an answer that is too large to be kept, and says so', async () => {
    const size = 3 * 1024 * 1024;
    const { app, calls } = counting(() =>
      Readable.from([Buffer.alloc(size / 2), Buffer.alloc(size / 2)]),
    );
    const errors = loggedErrors(app);
    await using server = await serve(app);
    for (let time = 0; time < 2; time++) {
      expect((await (await send(server, 'k')).arrayBuffer()).byteLength).toBe(size);
    }
    expect(calls).toHaveLength(2);
    expect(errors).toHaveLength(2);
  });

  it('does nothing when the store cannot take the key', async () => {
    const store: IdempotencyStore = {
      take: () => Promise.reject(new Error('down')),
      keep: () => undefined,
      release: () => undefined,
    };
    const { app, calls } = counting(() => 'done', { store });
    await using server = await serve(app);
    expect((await send(server, 'k')).status).toBe(500);
    expect(calls).toEqual([]);
  });

  it('answers what is done also when the store cannot keep it, and does it no second time', async () => {
    const inner = memoryStore();
    const store: IdempotencyStore = { ...inner, keep: () => Promise.reject(new Error('down')) };
    const { app, calls } = counting(() => 'done', { store });
    await using server = await serve(app);
    expect((await send(server, 'k')).status).toBe(200);
    expect((await send(server, 'k')).status).toBe(409);
    expect(calls).toHaveLength(1);
  });
});

describe('the store of idempotency keys in memory', () => {
  const answer = (bytes: number) => ({ status: 200, headers: [], body: new Uint8Array(bytes) });
  const isKnown = (known: unknown): boolean => (known as KnownKey | undefined) !== undefined;

  it('forgets an answer after its time', async () => {
    let nowMs = 0;
    const store = memoryStore({ now: () => nowMs });
    await store.take('a', 'f', 100);
    await store.keep('a', answer(1), 100);
    nowMs = 99;
    expect(isKnown(await store.take('a', 'f', 100))).toBe(true);
    nowMs = 100;
    expect(isKnown(await store.take('a', 'f', 100))).toBe(false);
  });

  it('forgets the oldest answers when there are too many, and no request at work', async () => {
    const store = memoryStore({ maxKeys: 3, now: () => 0 });
    await store.take('work', 'f', 100);
    for (const key of ['a', 'b', 'c']) {
      await store.take(key, 'f', 100);
      await store.keep(key, answer(1), 100);
    }
    expect(isKnown(await store.take('work', 'f', 100))).toBe(true);
    expect(isKnown(await store.take('c', 'f', 100))).toBe(true);
    expect(isKnown(await store.take('a', 'f', 100))).toBe(false);
  });

  it('forgets the oldest answers when they are too large', async () => {
    const store = memoryStore({ maxBytes: 250, now: () => 0 });
    for (const key of ['a', 'b', 'c']) {
      await store.take(key, 'f', 100);
      await store.keep(key, answer(100), 100);
    }
    expect(isKnown(await store.take('c', 'f', 100))).toBe(true);
    expect(isKnown(await store.take('b', 'f', 100))).toBe(true);
    expect(isKnown(await store.take('a', 'f', 100))).toBe(false);
  });

  it('refuses more requests at work than it may know', async () => {
    const store = memoryStore({ maxKeys: 1 });
    await store.take('a', 'f', 100);
    expect(() => store.take('b', 'f', 100)).toThrow('Too many requests are at work.');
  });
});
