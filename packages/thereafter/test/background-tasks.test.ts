import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import {
  BackgroundTasks,
  Body,
  Context,
  Controller,
  createApp,
  dependency,
  Depends,
  HttpReply,
  Inject,
  Injectable,
  lazy,
  Post,
  query,
  Task,
  taskSignal,
  type JobContext,
  type Lazy,
  type RunOn,
} from 'thereafter';
import { Type, type Static } from 'typebox';
import { describe, expect, it } from 'vitest';
import { exchangeOf } from '../src/context.ts';
import { QUIET, serve } from './support/serve.ts';
import { get, rawClient } from './support/tasks-client.ts';
import { gate, recordTasks } from './support/tasks-record.ts';

/** The messages and the server behind each request, as Node itself publishes them. */
function observeNode(): Disposable & {
  readonly requests: { response: ServerResponse; socket: Socket; server: Server }[];
} {
  const requests: { response: ServerResponse; socket: Socket; server: Server }[] = [];
  const listener = (message: unknown): void =>
    void requests.push(message as (typeof requests)[number]);
  subscribe('http.server.request.start', listener);
  return {
    requests,
    [Symbol.dispose]: () => void unsubscribe('http.server.request.start', listener),
  };
}

describe('the gate', () => {
  it('starts a task only when the response was handed to the operating system', async () => {
    using node = observeNode();
    using record = recordTasks();
    const body = 'x'.repeat(16 * 1024 * 1024);
    let unsent: number | undefined;
    const app = createApp(QUIET)
      .get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'after' }).add(() => {
          unsent = node.requests[0]!.socket.writableLength;
        });
        return body;
      })
      .get('/other', () => 'ok');
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await record.until('queued', 'after');
    await server.fetch('/other'); // what the server could do meanwhile, it has done
    expect(node.requests[0]!.socket.writableLength).toBeGreaterThan(0); // the client does not read yet
    expect(record.of('after')).toEqual(['queued']);
    let length = 0;
    socket.on('data', (chunk) => (length += chunk.length));
    socket.resume();
    await Promise.all([once(socket, 'end'), record.until('succeeded', 'after')]);
    expect(length).toBeGreaterThan(body.length);
    expect(unsent).toBe(0);
    socket.destroy();
  });

  it('attaches no listener and emits no event when no task is added', async () => {
    using node = observeNode();
    using record = recordTasks();
    const counts = (): number[] => {
      const { response, socket } = node.requests.at(-1)!;
      return [
        ...['finish', 'close', 'error'].map((event) => response.listenerCount(event)),
        socket.listenerCount('close'),
      ];
    };
    const seen: number[][] = [];
    const app = createApp(QUIET)
      .get('/without', () => {
        queueMicrotask(() => seen.push(counts()));
        return 'without';
      })
      .get('/asked', ({ ctx }) => {
        void ctx.tasks.size; // asked for, and nothing added
        queueMicrotask(() => seen.push(counts()));
        return 'asked';
      });
    await using server = await serve(app);
    await (await server.fetch('/without')).text();
    await (await server.fetch('/asked')).text();
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual(seen[0]);
    expect(record.lines).toEqual([]);
  });

  it('sends the last byte of a large body before it starts a task', async () => {
    using record = recordTasks();
    const isRead = gate();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'slow' }).add(() => isRead.opened);
      return Buffer.alloc(8 * 1024 * 1024);
    });
    await using server = await serve(app);
    const bytes = await (await server.fetch('/')).arrayBuffer(); // while the task cannot end
    expect(bytes.byteLength).toBe(8 * 1024 * 1024);
    isRead.open();
    await record.until('succeeded', 'slow');
  });

  it('starts tasks after the last chunk of a stream', async () => {
    using record = recordTasks();
    const next = gate();
    async function* chunks(): AsyncGenerator<number> {
      yield 1;
      await next.opened;
      yield 2;
    }
    const app = createApp(QUIET)
      .get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'after' }).add(() => undefined);
        return chunks();
      })
      .get('/other', () => 'ok');
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await client.read('1\n');
    await server.fetch('/other'); // what the server could do meanwhile, it has done
    expect(record.of('after')).toEqual(['queued']);
    next.open();
    await client.read('0\r\n\r\n');
    expect((await record.until('succeeded', 'after')).outcome).toBe('sent');
  });

  describe('runs tasks once', () => {
    const replies: Record<string, () => unknown> = {
      '/ok': () => 'ok',
      '/204': () => undefined,
      '/304': () => new HttpReply('', { status: 304 }),
      '/redirect': () => new HttpReply('', { status: 303, headers: { location: '/ok' } }),
      '/empty': () => '',
      '/response': () => new Response('web'),
    };
    const requests: Record<string, string[]> = {
      GET: get('/ok'),
      HEAD: ['HEAD /ok HTTP/1.1', 'Host: x'],
      '204': get('/204'),
      '304': get('/304'),
      'a redirect': get('/redirect'),
      'an empty body': get('/empty'),
      'a web Response': get('/response'),
      'Connection: close': get('/ok', 'Connection: close'),
      'HTTP/1.0': ['GET /ok HTTP/1.0'],
      'Expect: 100-continue': get('/ok', 'Expect: 100-continue'),
    };
    for (const [name, head] of Object.entries(requests)) {
      it(`after ${name}`, async () => {
        using record = recordTasks();
        const app = createApp(QUIET);
        for (const [path, value] of Object.entries(replies)) {
          app.get(path, ({ ctx }) => {
            ctx.tasks.with({ name: 'after' }).add(() => undefined);
            return value();
          });
        }
        await using server = await serve(app);
        using client = await rawClient(server.port);
        client.send(head);
        await client.read('\r\n\r\n');
        await record.until('succeeded', 'after');
        await app.tasks.settled();
        expect(record.of('after')).toEqual(['queued', 'started', 'succeeded']);
      });
    }

    it('and ends the connection while one still runs, when the client asked for that', async () => {
      using record = recordTasks();
      const isOver = gate();
      const app = createApp(QUIET).get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'slow' }).add(() => isOver.opened);
        return 'ok';
      });
      await using server = await serve(app);
      using client = await rawClient(server.port);
      client.send(get('/', 'Connection: close'));
      expect(await client.end()).toContain('ok');
      await record.until('started', 'slow');
      expect(record.of('slow')).toEqual(['queued', 'started']);
      isOver.open();
      await app.tasks.settled();
    });
  });
});

describe('the order', () => {
  it('is that of add(), one at a time, while other requests have theirs', async () => {
    using record = recordTasks();
    const isFirstStarted = gate();
    const isSecondStarted = gate();
    const app = createApp(QUIET)
      .get('/first', ({ ctx }) => {
        for (const name of ['a', 'b', 'c']) {
          ctx.tasks.with({ name }).add(async () => {
            if (name !== 'a') return;
            isFirstStarted.open();
            await isSecondStarted.opened; // so the two connections overlap
          });
        }
        return 'ok';
      })
      .get('/second', ({ ctx }) => {
        ctx.tasks.with({ name: 'other' }).add(isSecondStarted.open);
        return 'ok';
      });
    await using server = await serve(app);
    await server.fetch('/first');
    await isFirstStarted.opened;
    await server.fetch('/second');
    await app.tasks.settled();
    expect(record.lines.filter((line) => /^(started|succeeded) [abc]/.test(line))).toEqual([
      'started a',
      'succeeded a',
      'started b',
      'succeeded b',
      'started c',
      'succeeded c',
    ]);
  });

  it('goes on after a task that throws, and after one that rejects later', async () => {
    using record = recordTasks();
    const errors: unknown[] = [];
    const app = createApp(QUIET)
      .onTaskError((error, { taskName, requestId, attempt }) =>
        errors.push([String(error), taskName, typeof requestId, attempt]),
      )
      .get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'throws' }).add(() => {
          throw new Error('at once');
        });
        ctx.tasks.with({ name: 'rejects' }).add(async () => {
          await new Promise(setImmediate);
          throw new Error('later');
        });
        ctx.tasks.with({ name: 'works' }).add(() => undefined);
        return 'ok';
      });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
    await app.tasks.settled();
    expect(record.lines.slice(3)).toEqual([
      'started throws',
      'failed throws',
      'started rejects',
      'failed rejects',
      'started works',
      'succeeded works',
    ]);
    expect(errors).toEqual([
      ['Error: at once', 'throws', 'string', 1],
      ['Error: later', 'rejects', 'string', 1],
    ]);
  });

  it('runs the same function twice with its own arguments', async () => {
    const seen: string[] = [];
    const note = (word: string): void => void seen.push(word);
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(note, 'one');
      ctx.tasks.addTask(note, 'two');
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(seen).toEqual(['one', 'two']);
  });

  it('lets other requests be served between synchronous tasks', async () => {
    const seen: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(() => void setImmediate(() => seen.push('turn')));
      ctx.tasks.add(() => void seen.push('second'));
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(seen).toEqual(['turn', 'second']);
  });
});

describe('the connection', () => {
  it('serves the next request while a task runs, and is closed when idle as ever', async () => {
    using node = observeNode();
    const isOver = gate();
    const app = createApp(QUIET)
      .get('/slow', ({ ctx }) => {
        ctx.tasks.add(() => isOver.opened);
        return 'first';
      })
      .get('/', () => 'second');
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/slow'));
    await client.read('first');
    node.requests[0]!.server.keepAliveTimeout = 1; // Node adds a second of its own
    client.send(get('/'));
    await client.read('second'); // the task cannot end before
    await client.end();
    expect(app.tasks.pending).toBe(1);
    isOver.open();
    await app.tasks.settled();
  });

  it('may be closed by the client after reading: the task completes', async () => {
    using record = recordTasks();
    const isClosed = gate();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'after' }).add(() => isClosed.opened);
      return 'ok';
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await client.read('ok');
    client.socket.destroy();
    await once(client.socket, 'close');
    isClosed.open();
    await record.until('succeeded', 'after');
    expect(record.of('after')).toEqual(['queued', 'started', 'succeeded']);
  });

  it('may break in mid-stream: tasks run once, and the producer is cancelled', async () => {
    using record = recordTasks();
    const isCancelled = gate();
    async function* endless(): AsyncGenerator<string> {
      try {
        for (;;) yield 'x'.repeat(1000);
      } finally {
        isCancelled.open();
      }
    }
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'after' }).add(() => undefined);
      ctx.tasks.with({ name: 'sent', on: 'sent' }).add(() => undefined);
      return endless();
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await client.read('xxx');
    client.socket.resetAndDestroy();
    await isCancelled.opened;
    await app.tasks.settled();
    expect(record.of('after')).toEqual(['queued', 'started', 'succeeded']);
    expect(record.of('sent')).toEqual(['queued', 'discarded']);
    expect(record.events.at(-1)!.outcome).toBe('aborted');
  });

  it('may be half-closed by the client after the request: tasks run once', async () => {
    using record = recordTasks();
    const app = createApp(QUIET).get('/', async ({ ctx }) => {
      ctx.tasks.with({ name: 'after' }).add(() => undefined);
      if (!ctx.signal.aborted) await once(ctx.signal, 'abort'); // Node takes it for one that left
      return 'ok';
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.socket.end(`${get('/').join('\r\n')}\r\n\r\n`);
    await record.until('succeeded', 'after');
    await app.tasks.settled();
    expect(record.of('after')).toEqual(['queued', 'started', 'succeeded']);
  });

  it('may vanish with requests in its pipeline: the tasks of each run once', async () => {
    using record = recordTasks();
    const isGone = gate();
    const app = createApp(QUIET).get('/:name', async ({ ctx }) => {
      const name = ctx.params['name']!;
      ctx.tasks.with({ name }).add(() => undefined);
      if (name === 'first') await isGone.opened;
      return Buffer.alloc(4 * 1024 * 1024);
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.socket.write(
      [get('/first'), get('/second')].map((head) => `${head.join('\r\n')}\r\n\r\n`).join(''),
    );
    await record.until('queued', 'second');
    client.socket.resetAndDestroy();
    await record.until('succeeded', 'second');
    isGone.open();
    await record.until('succeeded', 'first');
    expect(record.lines.filter((line) => line.startsWith('started'))).toHaveLength(2);
    expect(record.events.map(({ outcome }) => outcome).slice(2)).not.toContain('sent');
  });

  it('is cut when a body stream breaks; the outcome is failed, and tasks run', async () => {
    using record = recordTasks();
    const outcomes: unknown[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'after' }).add(() => outcomes.push(ctx.outcome));
      return Readable.from(
        (async function* () {
          yield 'half';
          throw new Error('broken');
        })(),
      );
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    expect(await client.end()).not.toContain('0\r\n\r\n');
    await record.until('succeeded', 'after');
    expect(outcomes).toEqual(['failed']);
  });
});

describe('the policy', () => {
  const POLICIES = ['return', 'sent', 'error', 'always'] as const satisfies readonly RunOn[];
  const addAll = (tasks: BackgroundTasks): void => {
    for (const on of POLICIES) tasks.with({ name: on, on }).add(() => undefined);
  };
  const ran = (record: ReturnType<typeof recordTasks>): string[] =>
    POLICIES.filter((on) => record.of(on).includes('started'));

  it('discards default tasks of a handler that throws, and says so', async () => {
    using record = recordTasks();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      addAll(ctx.tasks);
      throw new Error('no');
    });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    await app.tasks.settled();
    expect(ran(record)).toEqual(['sent', 'error', 'always']);
    expect(record.of('return')).toEqual(['queued', 'discarded']);
    expect(record.events.find(({ event }) => event === 'discarded')?.reason).toBe('policy');
  });

  it('runs the tasks of a handler that returns 404 or 500', async () => {
    for (const status of [404, 500]) {
      using record = recordTasks();
      const app = createApp(QUIET).get('/', ({ ctx }) => {
        addAll(ctx.tasks);
        return new HttpReply('no', { status });
      });
      await using server = await serve(app);
      expect((await server.fetch('/')).status).toBe(status);
      await app.tasks.settled();
      expect(ran(record)).toEqual(['return', 'sent', 'always']);
    }
  });

  it('runs a task that an error handler adds', async () => {
    using record = recordTasks();
    class Teapot extends Error {}
    const app = createApp(QUIET)
      .onError(Teapot, (_, ctx) => {
        ctx.tasks.with({ name: 'report' }).add(() => undefined);
        return new Response('tea', { status: 418 });
      })
      .get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'before' }).add(() => undefined);
        throw new Teapot();
      });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(418);
    await app.tasks.settled();
    expect(record.of('report')).toEqual(['queued', 'started', 'succeeded']);
    expect(record.of('before')).toEqual(['queued', 'discarded']);
  });

  it('is the same for dependencies that added tasks before an input was refused', async () => {
    using record = recordTasks();
    const early = dependency({ tasks: BackgroundTasks }, ({ tasks }) => addAll(tasks));
    const app = createApp(QUIET).get(
      '/',
      { use: [early], in: { n: query('n', Type.Integer()) } },
      () => 'never',
    );
    await using server = await serve(app);
    expect((await server.fetch('/?n=x')).status).toBe(422);
    await app.tasks.settled();
    expect(ran(record)).toEqual(['sent', 'error', 'always']);
  });

  it('gives each task at most one start and exactly one end', async () => {
    using record = recordTasks();
    const app = createApp(QUIET).get('/:how', ({ ctx }) => {
      addAll(ctx.tasks);
      ctx.tasks.with({ name: 'fails', on: 'always' }).add(() => Promise.reject(new Error('no')));
      ctx.tasks
        .with({ name: 'hangs', on: 'always', timeout: '1ms' })
        .add(() => new Promise(() => undefined));
      ctx.tasks
        .with({ name: 'cancelled' })
        .add(() => undefined)
        .cancel();
      if (ctx.params['how'] === 'throw') throw new Error('no');
      if (ctx.params['how'] === 'leave') exchangeOf(ctx).req.socket.destroy();
      return 'ok';
    });
    await using server = await serve(app);
    for (const how of ['return', 'throw', 'leave', 'return']) {
      await server.fetch(`/${how}`).catch(() => undefined);
    }
    await app.tasks.settled();
    const byId = Map.groupBy(record.events, ({ taskId }) => taskId);
    expect(byId.size).toBe(4 * 7);
    for (const events of byId.values()) {
      const names = events.map(({ event }) => event);
      expect(names[0]).toBe('queued');
      expect(names.filter((name) => name === 'started').length).toBeLessThanOrEqual(1);
      expect(names.filter((name) => name !== 'queued' && name !== 'started')).toHaveLength(1);
    }
  });
});

describe('one request', () => {
  it('has one BackgroundTasks, for the handler and everything before it', async () => {
    const seen: BackgroundTasks[] = [];
    const order: string[] = [];
    const inner = dependency({ tasks: BackgroundTasks }, ({ tasks }) => {
      seen.push(tasks);
      tasks.add(() => order.push('inner'));
    });
    const outer = dependency({ inner, tasks: BackgroundTasks }, ({ tasks }) => {
      seen.push(tasks);
      tasks.add(() => order.push('outer'));
    });

    @Controller()
    class Home {
      @Post('/')
      post(@Depends(outer) _: void, tasks: BackgroundTasks, ctx: Context) {
        seen.push(tasks, ctx.tasks);
        tasks.add(() => order.push('handler'));
        return 'ok';
      }
    }
    const app = createApp(QUIET).include(Home);
    await using server = await serve(app);
    await server.post('/', {});
    await app.tasks.settled();
    expect(new Set(seen).size).toBe(1);
    expect(order).toEqual(['inner', 'outer', 'handler']);
  });

  it('ends what a task may use when the queue has drained, the handler-scoped before the response', async () => {
    const events: string[] = [];
    const resource = (name: string, scope: 'handler' | 'request') =>
      dependency(
        {},
        async function* () {
          yield { use: () => events.push(`${name} is used`) };
          events.push(`${name} ends`);
          if (name === 'broken') throw new Error('a disposer fails');
        },
        { scope },
      );
    const app = createApp(QUIET).get(
      '/',
      {
        in: {
          a: resource('request', 'request'),
          broken: resource('broken', 'request'),
          short: resource('handler', 'handler'),
        },
      },
      ({ ctx, a }) => {
        ctx.tasks.add(() => a.use());
        ctx.tasks.add(() => events.push('last task'));
        return (async function* () {
          events.push('first byte');
          yield 1;
        })();
      },
    );
    await using server = await serve(app);
    await (await server.fetch('/')).text();
    await app.tasks.settled();
    expect(events).toEqual([
      'handler ends',
      'first byte',
      'request is used',
      'last task',
      'broken ends',
      'request ends',
    ]);
  });

  it('makes one more pass for tasks that clean-up code adds', async () => {
    const events: string[] = [];
    const resource = dependency(
      { tasks: BackgroundTasks },
      async function* ({ tasks }) {
        yield 1;
        tasks.add(() => events.push('task of the clean-up'));
        events.push('clean-up');
      },
      { scope: 'request' },
    );
    const app = createApp(QUIET).get('/', { in: { resource } }, ({ ctx }) => {
      ctx.tasks.add(() => events.push('task'));
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(events).toEqual(['task', 'clean-up', 'task of the clean-up']);
  });

  it('lets lazy() in a task class read the scope of its run', async () => {
    let made = 0;
    @Injectable({ scope: 'request' })
    class Unit {
      readonly number = ++made;
    }
    @Injectable()
    class Reports {
      constructor(@Inject(lazy(() => Unit)) readonly unit: Lazy<Unit>) {}
    }
    const seen: number[][] = [];
    @Task(Type.Object({}))
    class Report {
      constructor(
        readonly unit: Unit,
        readonly reports: Reports,
      ) {}
      run() {
        seen.push([this.unit.number, this.reports.unit.get().number]);
      }
    }
    const app = createApp(QUIET)
      .include(Report)
      .get('/', { in: { unit: Unit } }, ({ unit, ctx }) => {
        ctx.tasks.add(Report, {});
        return { unit: unit.number };
      });
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toEqual({ unit: 1 });
    await app.tasks.settled();
    expect(seen).toEqual([[2, 2]]);
  });

  it('resolves a task class from a scope of its own, which ends after the run', async () => {
    const events: string[] = [];
    const numbers: number[] = [];
    let count = 0;

    @Injectable({ scope: 'request' })
    class Session implements AsyncDisposable {
      readonly number = ++count;
      async [Symbol.asyncDispose]() {
        events.push(`session ${this.number} ends`);
      }
    }
    const Payload = Type.Object({ word: Type.String() });

    @Task(Payload)
    class Note {
      constructor(private readonly session: Session) {}
      async run({ word }: Static<typeof Payload>, job: JobContext) {
        numbers.push(this.session.number);
        events.push(`${word} in session ${this.session.number}, ${job.outcome}`);
      }
    }

    @Controller()
    class Home {
      @Post('/')
      post(@Body(Payload) body: Static<typeof Payload>, tasks: BackgroundTasks, session: Session) {
        numbers.push(session.number);
        tasks.add(Note, body);
        return 'ok';
      }
    }
    const app = createApp(QUIET).include(Home, Note);
    await using server = await serve(app);
    await server.post('/', { word: 'hello' });
    await app.tasks.settled();
    expect(numbers).toEqual([1, 2]);
    expect(events).toEqual(['hello in session 2, sent', 'session 2 ends', 'session 1 ends']);
  });

  it('runs a task that a task adds after those that were queued', async () => {
    const events: string[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(() => {
        events.push('first');
        ctx.tasks.add(() => events.push('nested'));
      });
      ctx.tasks.add(() => events.push('second'));
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    expect(events).toEqual(['first', 'second', 'nested']);
  });

  it('runs a task that comes after the queue has drained, whoever adds it', async () => {
    using record = recordTasks();
    let late: Context | undefined;
    const app = createApp(QUIET)
      .get('/had', ({ ctx }) => {
        late = ctx;
        ctx.tasks.add(() => undefined);
        return 'ok';
      })
      .get('/none', ({ ctx }) => {
        late = ctx;
        return 'ok';
      });
    await using server = await serve(app);
    for (const path of ['/had', '/none']) {
      await (await server.fetch(path)).text();
      await app.tasks.settled();
      late!.tasks.with({ name: path }).add(() => undefined);
      expect(app.tasks.pending).toBe(1); // so settled() and close() wait for it
      expect((await record.until('succeeded', path)).outcome).toBe('sent');
    }
  });

  it('lends its async-local values to its tasks, and none from one task to the next', async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const left = gate();
    const app = createApp(QUIET).get('/:how', ({ ctx }) =>
      store.run('of the request', async () => {
        ctx.tasks.add(async () => {
          seen.push(store.getStore());
          store.enterWith('of the first task');
          await new Promise(setImmediate);
        });
        ctx.tasks.add(() => seen.push(store.getStore()));
        if (ctx.params['how'] === 'abort') {
          ctx.signal.addEventListener('abort', left.open);
          exchangeOf(ctx).req.socket.destroy();
          await left.opened;
        }
        return 'ok';
      }),
    );
    await using server = await serve(app);
    await server.fetch('/normal');
    await server.fetch('/abort').catch(() => undefined);
    await left.opened;
    await app.tasks.settled();
    expect(seen).toEqual(Array.from({ length: 4 }, () => 'of the request'));
  });
});

describe('limits', () => {
  it('aborts the signal of a task that takes too long, and starts the next', async () => {
    using record = recordTasks();
    const reasons: unknown[] = [];
    const Payload = Type.Object({});

    @Task(Payload, { timeout: '5ms' })
    class Hangs {
      run(_: Static<typeof Payload>, job: JobContext): Promise<void> {
        return new Promise(() => job.signal.addEventListener('abort', () => reasons.push('class')));
      }
    }
    const app = createApp(QUIET)
      .onTaskError((error) => reasons.push((error as { code: string }).code))
      .get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'deaf', timeout: '5ms' }).add(() => new Promise(() => undefined));
        ctx.tasks.with({ name: 'heeds', timeout: '5ms' }).add(async () => {
          await once(taskSignal(), 'abort');
          reasons.push('function');
        });
        ctx.tasks.add(Hangs, {});
        ctx.tasks.with({ name: 'next' }).add(() => undefined);
        return 'ok';
      });
    await using server = await serve(app);
    await server.fetch('/');
    await app.tasks.settled();
    for (const name of ['deaf', 'heeds', 'Hangs']) {
      expect(record.of(name)).toEqual(['queued', 'started', 'timedOut']);
    }
    expect(record.of('next')).toEqual(['queued', 'started', 'succeeded']);
    expect(reasons).toEqual(
      expect.arrayContaining(['function', 'class', 'TASK_TIMEOUT', 'TASK_TIMEOUT', 'TASK_TIMEOUT']),
    );
  });

  it('refuses a task beyond maxPending, which is a 503 with Retry-After', async () => {
    const isOver = gate();
    const app = createApp({ ...QUIET, tasks: { maxPending: 2 } })
      .get('/', ({ ctx }) => {
        ctx.tasks.add(() => isOver.opened);
        ctx.tasks.add(() => undefined);
        return 'ok';
      })
      .get('/gentle', ({ ctx }) => {
        try {
          ctx.tasks.add(() => undefined);
          ctx.tasks.add(() => undefined);
        } catch (error) {
          return (error as { code: string }).code;
        }
        return 'added';
      });
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(200);
    const refused = await server.fetch('/');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ title: 'Service Unavailable' });
    expect(await (await server.fetch('/gentle')).text()).toBe('TASKS_FULL');
    isOver.open();
    await app.tasks.settled();
    expect(await (await server.fetch('/gentle')).text()).toBe('added');
    await app.tasks.settled();
  });

  it('goes on answering other requests while 200 tasks are under way', async () => {
    const isOver = gate();
    const app = createApp(QUIET)
      .get('/task', ({ ctx }) => {
        ctx.tasks.add(() => isOver.opened);
        return 'ok';
      })
      .get('/', () => 'ok');
    await using server = await serve(app);
    await Promise.all(
      Array.from({ length: 200 }, async () => (await server.fetch('/task')).text()),
    );
    expect(app.tasks.pending).toBe(200);
    const answers = Array.from({ length: 50 }, async () => (await server.fetch('/')).status);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
    expect(app.tasks.pending).toBe(200);
    isOver.open();
    await app.tasks.settled();
  });

  it('keeps no request body for a task that does not use it', async () => {
    const isOver = gate();
    const Big = Type.Object({ text: Type.String() });

    @Controller()
    class Uploads {
      @Post('/')
      upload(@Body(Big) body: Static<typeof Big>, tasks: BackgroundTasks) {
        tasks.add(() => isOver.opened);
        return body.text.length;
      }
    }
    const app = createApp(QUIET).include(Uploads);
    await using server = await serve(app);
    const body = JSON.stringify({ text: 'x'.repeat(1_000_000) });
    const headers = { 'content-type': 'application/json' };
    const upload = async (): Promise<string> =>
      (await server.fetch('/', { method: 'POST', body, headers })).text();
    await upload();
    const before = await memory();
    for (let i = 0; i < 100; i++) await upload();
    expect(app.tasks.pending).toBe(101);
    expect((await memory()) - before).toBeLessThan(30_000_000); // less than a third of the bodies
    isOver.open();
    await app.tasks.settled();
  });

  it('never runs a task that is cancelled before its start', async () => {
    using record = recordTasks();
    const answers: boolean[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      const first = ctx.tasks.with({ name: 'first' }).add(() => {
        answers.push(first.cancel()); // it runs: too late
        answers.push(third.cancel());
      });
      answers.push(
        ctx.tasks
          .with({ name: 'second' })
          .add(() => undefined)
          .cancel(),
      );
      const third = ctx.tasks.with({ name: 'third' }).add(() => undefined);
      return ctx.tasks.size;
    });
    await using server = await serve(app);
    expect(await (await server.fetch('/')).json()).toBe(2);
    await app.tasks.settled();
    expect(answers).toEqual([true, false, true]);
    expect(record.of('second')).toEqual(['queued', 'discarded']);
    expect(record.of('third')).toEqual(['queued', 'discarded']);
    expect(record.events.findLast(({ event }) => event === 'discarded')?.reason).toBe('cancelled');
  });
});

describe('misuse', () => {
  it('makes writing to a finished response an error of the task', async () => {
    using record = recordTasks();
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.with({ name: 'header' }).add(() => ctx.header('x-late', '1'));
      ctx.tasks.with({ name: 'write' }).add(() => void exchangeOf(ctx).res.write('more'));
      return 'ok';
    });
    await using server = await serve(app);
    using client = await rawClient(server.port);
    client.send(get('/'));
    await client.read('ok');
    await record.until('failed', 'header');
    await app.tasks.settled();
    client.send(get('/'));
    expect(await client.read('\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 OK\r\n/); // nothing came in between
    await app.tasks.settled();
  });

  it('names what to write instead when a promise is added', async () => {
    let message = '';
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      try {
        ctx.tasks.add(Promise.resolve() as never);
      } catch (error) {
        message = (error as Error).message;
      }
      return 'ok';
    });
    await using server = await serve(app);
    await server.fetch('/');
    expect(message).toContain('tasks.add(send, email) instead of tasks.add(send(email))');
  });

  it('refuses a durable task as long as there is nothing to store it', async () => {
    @Task(Type.Object({}), { durable: true })
    class Export {
      run(): void {}
    }
    await expect(createApp(QUIET).include(Export).listen({ port: 0 })).rejects.toThrow(
      /TASK_NEEDS_ENGINE.*Export is durable/s,
    );
    const app = createApp(QUIET).get('/', ({ ctx }) => ctx.tasks.add(Export, {}).id);
    await using server = await serve(app);
    expect((await server.fetch('/')).status).toBe(500);
    expect(app.tasks.pending).toBe(0);
  });
});

async function memory(): Promise<number> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise(setImmediate);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
