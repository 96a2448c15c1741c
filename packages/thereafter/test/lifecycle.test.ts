import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { createApp, HttpReply, type Context } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';

describe('a request', () => {
  it('is 404 for an unknown path, as a problem', async () => {
    await using server = await serve(createApp(QUIET).get('/', () => 'home'));
    const response = await server.fetch('/nowhere?x=1');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing at /nowhere.',
      instance: '/nowhere',
      requestId: expect.any(String),
    });
  });

  it('is 405 with Allow for a known path and another method', async () => {
    await using server = await serve(createApp(QUIET).get('/', () => 'home'));
    const response = await server.fetch('/', { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });

  it('is 204 with Allow for OPTIONS', async () => {
    await using server = await serve(createApp(QUIET).post('/', () => 'made'));
    const response = await server.fetch('/', { method: 'OPTIONS' });
    expect(response.status).toBe(204);
    expect(response.headers.get('allow')).toBe('OPTIONS, POST');
  });

  it('is 400 for broken percent-encoding', async () => {
    await using server = await serve(createApp(QUIET).get('/:name', () => 'home'));
    expect((await server.fetch('/%E0%A4%A')).status).toBe(400);
  });

  it('answers HEAD as GET, without a body', async () => {
    await using server = await serve(createApp(QUIET).get('/', () => ({ hello: 'world' })));
    const response = await server.fetch('/', { method: 'HEAD' });
    expect(response.headers.get('content-length')).toBe('17');
    expect(await response.text()).toBe('');
  });

  it('matches with and without a trailing slash', async () => {
    await using server = await serve(createApp(QUIET).get('/users/', () => 'all'));
    expect(await (await server.fetch('/users')).text()).toBe('all');
    expect(await (await server.fetch('/users/')).text()).toBe('all');
  });

  it('hides what went wrong in a handler, and names the request', async () => {
    const app = createApp(QUIET).get('/', () => {
      throw new Error('the password is 1234');
    });
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(500);
    const body = await response.text();
    expect(body).not.toContain('1234');
    expect(JSON.parse(body)).toMatchObject({ status: 500, requestId: expect.any(String) });
  });

  it('survives a thrown undefined and a rejection', async () => {
    const app = createApp(QUIET)
      .get('/thrown', () => {
        throw undefined;
      })
      .get('/rejected', () => Promise.reject(new Error('no')));
    await using server = await serve(app);
    expect((await server.fetch('/thrown')).status).toBe(500);
    expect((await server.fetch('/rejected')).status).toBe(500);
  });

  it('is 500 when a header would split the response', async () => {
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.header('x-note', 'a\r\nset-cookie: evil=1');
      return 'never';
    });
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.status).toBe(500);
    expect(response.headers.get('set-cookie')).toBeNull();
  });
});

describe('a returned value', () => {
  async function get(value: unknown): Promise<Response> {
    await using server = await serve(createApp(QUIET).get('/', () => value));
    const response = await server.fetch('/');
    return new Response([204, 304].includes(response.status) ? null : await response.text(), {
      status: response.status,
      headers: [...response.headers],
    });
  }

  it('is 204 when it is undefined, and null when it is null', async () => {
    expect((await get(undefined)).status).toBe(204);
    expect(await (await get(null)).text()).toBe('null');
  });

  it('is text, bytes or JSON by its type', async () => {
    expect((await get('text')).headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect((await get(Buffer.from('b'))).headers.get('content-type')).toBe(
      'application/octet-stream',
    );
    expect(await (await get({ a: [1] })).json()).toEqual({ a: [1] });
  });

  it('carries a status and headers of its own in an HttpReply', async () => {
    const response = await get(
      new HttpReply({ made: true }, { status: 201, headers: { location: '/1' } }),
    );
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe('/1');
    expect(await response.json()).toEqual({ made: true });
  });

  it('may be a web Response', async () => {
    const response = await get(
      new Response('tea', { status: 418, headers: { 'content-type': 'x/tea' } }),
    );
    expect(response.status).toBe(418);
    expect(response.headers.get('content-type')).toBe('x/tea');
    expect(await response.text()).toBe('tea');
  });

  it('is sent line by line when it is an async iterable', async () => {
    async function* numbers(): AsyncGenerator<number> {
      yield 1;
      yield 2;
    }
    const response = await get(numbers());
    expect(response.headers.get('content-type')).toBe('application/jsonl');
    expect(await response.text()).toBe('1\n2\n');
  });

  it('cuts the connection when a stream breaks half-way', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield 1;
      throw new Error('broken');
    }
    await using server = await serve(createApp(QUIET).get('/', () => broken()));
    await expect(server.fetch('/').then((response) => response.text())).rejects.toThrow(
      'terminated',
    );
  });
});

describe('background tasks of a request', () => {
  it('start after the client could read the whole response', async () => {
    const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
    const events: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }: { ctx: Context }) => {
      ctx.tasks.add(async () => {
        events.push('started');
        await isRead; // the client must be able to read while the task runs
        events.push('done');
      });
      return 'answer';
    });
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    socket.end('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    expect(await text(socket)).toContain('answer');
    events.push('read');
    read();
    await app.tasks.settled();
    expect(events).toContain('read');
    expect(events.at(-1)).toBe('done');
  });

  it('run one at a time in the order in which they were added, whatever fails', async () => {
    const events: string[] = [];
    const failures: string[] = [];
    const app = createApp(QUIET)
      .onTaskError((error, { taskName }) => failures.push(`${taskName}: ${String(error)}`))
      .get('/', ({ ctx }) => {
        ctx.tasks.add(async () => {
          events.push('1 begins');
          await new Promise(setImmediate);
          events.push('1 ends');
        });
        ctx.tasks.with({ name: 'second' }).add(() => {
          throw new Error('2 fails');
        });
        ctx.tasks.add((word: string) => void events.push(word), '3 runs');
        return 'answer';
      });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
    await app.tasks.settled();
    expect(events).toEqual(['1 begins', '1 ends', '3 runs']);
    expect(failures).toEqual(['second: Error: 2 fails']);
  });

  it('do not run when the handler throws, unless they ask for it', async () => {
    const ran: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      for (const on of ['return', 'sent', 'error', 'always'] as const) {
        ctx.tasks.with({ on }).add(() => ran.push(on));
      }
      throw new Error('no');
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    await app.tasks.settled();
    expect(ran).toEqual(['sent', 'error', 'always']);
  });

  it('run although the client has left before the answer', async () => {
    const left = Promise.withResolvers<void>();
    const ran: (string | undefined)[] = [];
    const app = createApp(QUIET).get('/', async ({ ctx }) => {
      ctx.tasks.add(() => void ran.push(ctx.outcome));
      ctx.signal.addEventListener('abort', () => left.resolve());
      socket.destroy();
      await left.promise;
      return 'too late';
    });
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await left.promise;
    await new Promise(setImmediate); // the handler goes on in a later turn
    await app.tasks.settled();
    expect(ran).toEqual(['aborted']);
  });
});
