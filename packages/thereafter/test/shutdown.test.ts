import { once } from 'node:events';
import { connect } from 'node:net';
import { body, createApp } from 'thereafter';
import { describe, expect, it } from 'vitest';
import { QUIET, serve } from './support/serve.ts';
import { get, rawClient, type RawClient } from './support/tasks-client.ts';
import { launch, start } from './support/tasks-process.ts';
import { gate, recordTasks } from './support/tasks-record.ts';
import { CERT, KEY } from './support/tls.ts';

/** A client whose request has reached the server but for its last line, after one that was answered. */
async function halfRequest(port: number, path: string): Promise<RawClient> {
  const client = await rawClient(port);
  client.send(get('/ping'), `${get(path).join('\r\n')}\r\n`);
  await client.read('pong');
  return client;
}

describe('SIGTERM', () => {
  it('lets a running task complete, and the one that it adds, then exits with 0', async () => {
    await using program = await start('tasks-server.ts', '1h');
    using keptAlive = await rawClient(program.port);
    keptAlive.send(get('/task'));
    await program.line('the task waits');
    using other = await rawClient(program.port);
    other.send(get('/waiting')); // accepted, and therefore answered
    await program.line('the handler waits');
    using silent = await rawClient(program.port);
    using halfSent = await halfRequest(program.port, '/ping');

    program.kill('SIGTERM');
    await program.line('"closing"');
    await keptAlive.end(); // idle: ended at once
    expect(await silent.end()).toBe('');
    expect(await halfSent.end()).toBe('');
    program.kill('SIGUSR2');
    expect(await other.end()).toMatch(/connection: close[^]*answered/i);
    expect(await program.end()).toBe(0);
    expect(program.lines).toEqual(
      expect.arrayContaining([
        'the task is done',
        'the nested task is done',
        'the task of the waiting request runs',
      ]),
    );
    expect(program.lines.at(-1)).toBe('the singleton ends');
  });

  it('names what had not ended at the one deadline, aborts it, and exits with 1', async () => {
    await using program = await start('tasks-server.ts', '300ms');
    const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(program.port)));
    for (const client of clients) {
      client.send(get('/hang'));
      await client.read('ok');
    }
    await program.line('the task hangs', 10);
    program.kill('SIGTERM');
    expect(await program.end()).toBe(1);
    const log = JSON.parse(await program.line('were abandoned')) as { abandoned: string[] };
    expect(log.abandoned.filter((name) => name === 'hangs')).toHaveLength(10);
    expect(log.abandoned.filter((name) => name === 'behind')).toHaveLength(10);
    const aborted = program.lines.filter((line) => line.startsWith('the signal aborts'));
    expect(aborted).toEqual(Array.from({ length: 10 }, () => 'the signal aborts in turn 0')); // at once
    expect(program.lines).not.toContain('never');
    for (const client of clients) client[Symbol.dispose]();
  });

  it('cuts a stream that never ends at the deadline, names it and exits with 1', async () => {
    await using program = await start('tasks-server.ts', '100ms');
    using client = await rawClient(program.port);
    client.send(get('/stream'));
    await client.read('"x"');
    program.kill('SIGTERM');
    expect(await program.end()).toBe(1);
    expect(program.lines).toContainEqual(expect.stringMatching(/"cut":\["GET \/stream"\]/));
  });

  it('ends event streams in order, and exits with 0', async () => {
    await using program = await start('tasks-server.ts', '60s');
    using listener = await rawClient(program.port);
    listener.send(get('/events'));
    await listener.read('data: first');
    program.kill('SIGTERM');
    expect(await listener.end()).toMatch(/0\r\n\r\n$/); // the last chunk: not a broken stream
    expect(await program.end()).toBe(0);
    expect(program.lines).toContain('the task of the events runs');
    expect(program.lines.at(-1)).toBe('the singleton ends');
  });

  it('cuts a request that has not arrived at the deadline, and exits with 0', async () => {
    await using program = await start('tasks-server.ts', '100ms');
    using silent = await halfRequest(program.port, '/open');
    program.kill('SIGTERM');
    expect(await silent.end()).toBe('');
    expect(await program.end()).toBe(0);
  });

  it('is left to the program when it says so', async () => {
    const counts = (): number[] =>
      ['SIGTERM', 'SIGINT', 'SIGHUP', 'uncaughtException'].map((name) =>
        process.listenerCount(name),
      );
    const before = counts();
    await using _ = await serve(createApp(QUIET));
    expect(counts()).toEqual(before);
    const app = createApp({ logger: false });
    await app.listen({ port: 0, host: '127.0.0.1' });
    expect(counts()).toEqual(before.map((count) => count + 1));
    await app.close();
    expect(counts()).toEqual(before);
  });

  it.each(['SIGINT', 'SIGHUP'] as const)('is as good as %s', async (signal) => {
    await using program = await start('tasks-server.ts', '1h');
    using client = await rawClient(program.port);
    client.send(get('/task'));
    await program.line('the task waits');
    program.kill(signal);
    await program.line('"closing"');
    program.kill('SIGUSR2');
    expect(await program.end()).toBe(0);
    expect(program.lines).toContain('the nested task is done');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'names what is lost and ends the process at once when %s comes after it',
    async (second) => {
      await using program = await start('tasks-server.ts', '1h');
      using client = await rawClient(program.port);
      client.send(get('/hang'));
      await program.line('the task hangs');
      using waiting = await rawClient(program.port);
      waiting.send(get('/waiting?token=secret'));
      await program.line('the handler waits');
      program.kill('SIGTERM');
      await program.line('"closing"');
      program.kill(second);
      expect(await program.end()).toBe(1);
      const log = JSON.parse(await program.line('a second signal')) as object;
      expect(log).toMatchObject({
        signal: second,
        lost: ['GET /waiting', 'hangs', 'behind', 'an anonymous function'],
      });
    },
  );
});

describe('a signal before the app has started', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends what had begun, and exits with 0: %s',
    async (signal) => {
      await using program = launch('starting-server.ts', '1h');
      await program.line('the start waits');
      program.kill(signal);
      await program.line('"closing"');
      program.kill('SIGUSR2');
      expect(await program.end()).toBe(0);
      expect(program.lines.filter((line) => !line.startsWith('{'))).toEqual([
        'the first begins',
        'the start waits',
        'the second ends',
        'the first ends',
        'the singleton ends',
      ]);
    },
  );

  it('waits for the step that is under way until the deadline, and exits with 1', async () => {
    await using program = launch('starting-server.ts', '100ms');
    await program.line('the start waits');
    program.kill('SIGTERM');
    expect(await program.end()).toBe(1);
    expect(program.lines.at(-1)).toContain('still starting');
  });

  it('is named as lost by a second one', async () => {
    await using program = launch('starting-server.ts', '1h');
    await program.line('the start waits');
    program.kill('SIGTERM');
    await program.line('"closing"');
    program.kill('SIGTERM');
    expect(await program.end()).toBe(1);
    expect(await program.line('a second signal')).toContain('"lost":["the start of the app"]');
  });
});

describe('close() before the app has started', () => {
  it('ends what had begun, and listen() rejects', async () => {
    const events: string[] = [];
    const begun = gate();
    const goOn = gate();
    const app = createApp(QUIET)
      .lifespan(async function* () {
        begun.open();
        await goOn.opened;
        yield;
        events.push('ended');
      })
      .lifespan(async function* () {
        events.push('never');
        yield;
      });
    const listening = app.listen({ port: 0, host: '127.0.0.1' });
    const refused = expect(listening).rejects.toMatchObject({ code: 'APP_CLOSED' });
    await begun.opened;
    expect(() => app.url).toThrow(expect.objectContaining({ code: 'APP_NOT_STARTED' }));
    const closing = app.close();
    goOn.open();
    expect(await closing).toEqual({ abandoned: [] });
    await refused;
    expect(events).toEqual(['ended']);
    expect(await app.close()).toEqual({ abandoned: [] });
  });
});

it('an error that nobody caught is logged, tasks are drained, and the process exits with 1', async () => {
  await using program = await start('tasks-server.ts', '1h');
  using client = await rawClient(program.port);
  client.send(get('/task'));
  await program.line('the task waits');
  client.send(get('/uncaught'));
  await program.line('nobody awaits this');
  program.kill('SIGUSR2');
  expect(await program.end()).toBe(1);
  expect(program.lines).toContain('the nested task is done');
});

describe('close()', () => {
  it('delivers an answer that has ended and is not sent yet', async () => {
    const page = Buffer.alloc(40 * 1024 * 1024, 'x');
    const app = createApp(QUIET).get('/page', () => page);
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/page'));
    await client.read('\r\n\r\n'); // the head: most of the body is still to come
    client.socket.pause();
    const closing = app.close({ drainTimeout: '60s' });
    client.socket.resume();
    expect((await client.end()).length).toBe(page.length);
    expect(await closing).toEqual({ abandoned: [] });
  });

  it('names the answers that could not be delivered, without their queries', async () => {
    const page = Buffer.alloc(40 * 1024 * 1024, 'x');
    const app = createApp(QUIET)
      .get('/page', () => page)
      .get('/never', () => new Promise(() => undefined));
    await using server = await serve(app);
    using unread = await rawClient(server.port);
    unread.send(get('/page?token=secret'));
    await unread.read('\r\n\r\n');
    unread.socket.pause();
    using waiting = await rawClient(server.port);
    waiting.send(get('/never'));
    await (await server.fetch('/nowhere')).text(); // both have come
    const { abandoned } = await app.close({ drainTimeout: '0s' });
    expect(abandoned.toSorted()).toEqual(['GET /never', 'GET /page']);
  });

  it.each(['http', 'https'] as const)(
    'ends connections at once over %s that have sent nothing, or half a head',
    async (scheme) => {
      const app = createApp(QUIET).get('/', () => 'ok');
      const tls = scheme === 'https' ? { tls: { key: KEY, cert: CERT } } : {};
      const { url } = await app.listen({ port: 0, host: '127.0.0.1', ...tls });
      const connecting = Array.from({ length: 10 }, (_, i) => {
        const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
        socket.on('error', () => undefined);
        // Over TLS, that is half a greeting.
        if (i % 2 === 0) socket.write(scheme === 'http' ? 'GET / HTTP/1.1\r\nHo' : '\x16\x03');
        return once(socket, 'connect').then(() => socket);
      });
      const sockets = await Promise.all(connecting);
      const ends = sockets.map((s) => new Promise((end) => s.resume().once('close', end)));
      expect(await app.close({ drainTimeout: '1h' })).toEqual({ abandoned: [] });
      await Promise.all(ends);
    },
  );

  it('gives a body that stops coming a moment, and one that comes on its time', async () => {
    const app = createApp(QUIET).post('/', { in: { text: body.text() } }, ({ text }) => text);
    await using server = await serve(app);
    const post = ['POST / HTTP/1.1', 'Host: x', 'Content-Length: 40'];
    using stopped = await rawClient(server.port);
    stopped.send(post, 'half');
    using going = await rawClient(server.port);
    going.send(post, 'half');
    await (await server.fetch('/nowhere')).text(); // both have come
    const closing = app.close({ drainTimeout: '1h' });
    const drip = setInterval(() => going.socket.write('x'), 50);
    expect(await stopped.end()).toMatch(/^HTTP\/1\.1 503 /);
    expect(await going.end()).toMatch(/^HTTP\/1\.1 200 [^]*halfx{36}$/);
    clearInterval(drip);
    expect(await closing).toEqual({ abandoned: [] });
  });

  it('takes tasks while it drains, and refuses them afterwards', async () => {
    const app = createApp(QUIET);
    const isOver = gate();
    let add: (name: string) => unknown = () => undefined;
    app.get('/', ({ ctx }) => {
      ctx.tasks.add(() => isOver.opened);
      add = (name) => ctx.tasks.with({ name }).add(() => undefined);
      return 'ok';
    });
    using record = recordTasks();
    await using server = await serve(app);
    await server.fetch('/');
    const closed = app.close();
    add('late');
    isOver.open();
    expect(await closed).toEqual({ abandoned: [] });
    expect(record.of('late')).toEqual(['queued', 'started', 'succeeded']);
    expect(() => add('too late')).toThrow(expect.objectContaining({ code: 'TASKS_CLOSED' }));
  });

  it('waits when it may take longer than a timer of Node can', async () => {
    const isOver = gate();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(() => isOver.opened);
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    const closed = app.close({ drainTimeout: '60d' });
    // A timer that is too long fires after a millisecond, and so before this one.
    setTimeout(isOver.open, 10);
    expect(await closed).toEqual({ abandoned: [] });
  });

  it('ends the scope of a request whose task was abandoned', async () => {
    using record = recordTasks();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'hangs' }).add(() => new Promise(() => undefined));
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await record.until('started', 'hangs');
    expect(await app.close({ drainTimeout: '0s' })).toEqual({ abandoned: ['hangs'] });
    expect(record.of('hangs')).toEqual(['queued', 'started', 'abandoned']);
    expect(app.tasks.pending).toBe(0);
  });

  it('answers what else is in the pipeline of a connection', async () => {
    const isOver = gate();
    const isAsked = gate();
    const app = createApp(QUIET).get('/:name', async ({ ctx }) => {
      if (ctx.params['name'] === 'last') isAsked.open();
      await isOver.opened;
      return `<${ctx.params['name']}>`;
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    for (const name of ['first', 'last']) client.send(get(`/${name}`));
    await isAsked.opened;
    const closed = app.close();
    isOver.open();
    expect(await client.end()).toMatch(/<first>.*<last>/s);
    client.socket.end();
    await closed;
  });

  it('waits for a handler whose client has left', async () => {
    const events: string[] = [];
    const isAsked = gate();
    const hasLeft = gate();
    const isOver = gate();
    const app = createApp(QUIET)
      .get('/', async ({ ctx }) => {
        ctx.signal.addEventListener('abort', () => hasLeft.open());
        isAsked.open();
        await isOver.opened;
        events.push('handled');
      })
      .lifespan(async function* () {
        yield;
        events.push('ended');
      });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await isAsked.opened;
    client.socket.destroy();
    await hasLeft.opened;
    const closed = app.close();
    setImmediate(() => isOver.open());
    await closed;
    expect(events).toEqual(['handled', 'ended']);
  });

  it('closes connections that were answered while it waits', async () => {
    const isOver = gate();
    const isAsked = gate();
    const app = createApp(QUIET).get('/', async () => {
      isAsked.open();
      await isOver.opened;
      return 'ok';
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await isAsked.opened;
    const closed = app.close();
    isOver.open();
    expect(await client.end()).toContain('ok');
    await closed;
    if (!client.socket.destroyed) {
      client.socket.end();
      await once(client.socket, 'close');
    }
  });

  it('is not held up by a client that never finishes its TLS handshake', async () => {
    const app = createApp(QUIET).get('/', () => 'ok');
    const { url } = await app.listen({
      port: 0,
      host: '127.0.0.1',
      tls: { key: KEY, cert: CERT },
    });
    const client = connect(Number(new URL(url).port), '127.0.0.1');
    client.on('error', () => undefined); // it is cut
    try {
      await once(client, 'connect');
      const left = once(client, 'close');
      expect(await app.close({ drainTimeout: '100ms' })).toEqual({ abandoned: [] });
      await left;
    } finally {
      client.destroy();
    }
  });
});
