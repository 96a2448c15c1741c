import { EventEmitter, on, once } from 'node:events';
import { connect } from 'node:net';
import { createApp, sse, type App, type SseEvent } from 'thereafter';
import { Type } from 'typebox';
import type { Response } from 'undici';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loggedErrors } from '../support/log.ts';
import { QUIET, serve } from '../support/serve.ts';

/** Reads a stream piece by piece. */
function reading(response: Response): { until(wanted: string): Promise<string> } {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  return {
    /** What came since, up to the piece with this text, or to the end. */
    async until(wanted) {
      let text = '';
      while (!text.includes(wanted)) {
        const { done, value } = await reader.read();
        if (done) return `${text}(end)`;
        text += value;
      }
      return text;
    },
  };
}

describe('sse()', () => {
  it('sends typed events with data, event, id and retry', async () => {
    const Tick = Type.Object({ n: Type.Integer() });
    const app = createApp(QUIET).get('/', { response: Tick }, () =>
      sse(async function* () {
        yield { data: { n: 1, hash: 'secret' } };
        yield { event: 'tick', id: '7', retry: 2000, data: { n: 2, hash: 'secret' } };
      }),
    );
    await using server = await serve(app);
    const response = await server.fetch('/');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('x-accel-buffering')).toBe('no'); // nginx would hold events back
    expect(await response.text()).toBe(
      ':\n\ndata: {"n":1}\n\nevent: tick\nid: 7\nretry: 2000\ndata: {"n":2}\n\n',
    );
  });

  it('sends text of several lines as several data lines, so that it cannot forge a field', async () => {
    const app = createApp(QUIET).get('/', () =>
      sse(async function* () {
        yield { data: 'one\r\ntwo\revent: forged\nthree' };
      }),
    );
    await using server = await serve(app);
    expect(await (await server.fetch('/')).text()).toBe(
      ':\n\ndata: one\ndata: two\ndata: event: forged\ndata: three\n\n',
    );
  });

  it.each(['event', 'id'] as const)(
    'cuts the stream when the %s has a line break',
    async (field) => {
      const app = createApp(QUIET).get('/', () =>
        sse(async function* () {
          yield { [field]: 'a\ndata: forged', data: 'x' };
        }),
      );
      const errors = loggedErrors(app);
      await using server = await serve(app);
      await expect(server.fetch('/').then((r) => r.text())).rejects.toThrow('terminated');
      expect(errors).toMatchObject([
        { err: { message: `The ${field} of an event must be one line without NUL.` } },
      ]);
    },
  );

  it('gives the Last-Event-ID to its source', async () => {
    const app = createApp(QUIET).get('/', () =>
      sse(async function* ({ lastEventId }) {
        yield { data: `after ${lastEventId}` };
      }),
    );
    await using server = await serve(app);
    const response = await server.fetch('/', { headers: { 'last-event-id': '41' } });
    expect(await response.text()).toContain('data: after 41\n');
  });

  it('may be fed by a callback, whose clean-up runs at the end', async () => {
    const bus = new EventEmitter();
    const app = createApp(QUIET).get('/', () =>
      sse<string>((stream) => {
        const hear = (data: string): void => {
          stream.send({ data });
          if (data === 'last') stream.close();
        };
        bus.on('news', hear);
        return () => bus.off('news', hear);
      }),
    );
    await using server = await serve(app);
    const response = await server.fetch('/');
    bus.emit('news', 'first');
    bus.emit('news', 'last');
    bus.emit('news', 'too late');
    expect(await response.text()).toBe(':\n\ndata: first\n\ndata: last\n\n');
    expect(bus.listenerCount('news')).toBe(0);
  });

  it('ends with the promise of an asynchronous callback', async () => {
    const app = createApp(QUIET).get('/', () =>
      sse(async ({ send }) => {
        await Promise.resolve();
        send({ data: 'all' });
      }),
    );
    await using server = await serve(app);
    expect(await (await server.fetch('/')).text()).toBe(':\n\ndata: all\n\n');
  });

  it('sends a comment every 15 seconds by default', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const app = createApp(QUIET).get('/', () => sse(() => undefined));
    await using server = await serve(app);
    const response = await server.fetch('/');
    const stream = reading(response);
    await stream.until(':\n\n');
    vi.advanceTimersByTime(14_999);
    vi.advanceTimersByTime(1);
    expect(await stream.until(':\n\n')).toBe(':\n\n');
  });

  it('tells its source when the client leaves, and runs its finally', async () => {
    const bus = new EventEmitter();
    const left = Promise.withResolvers<string>();
    const app = createApp(QUIET).get('/', ({ ctx }) =>
      sse(async function* ({ signal }): AsyncGenerator<SseEvent> {
        try {
          for await (const [data] of on(bus, 'news', { signal })) yield { data };
        } finally {
          left.resolve(`${signal.aborted} ${ctx.signal.aborted}`);
        }
      }),
    );
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const controller = new AbortController();
    const response = await server.fetch('/', { signal: controller.signal });
    const stream = reading(response);
    await stream.until(':\n\n');
    bus.emit('news', 'one');
    await stream.until('one');
    controller.abort();
    expect(await left.promise).toBe('true true');
    expect(bus.listenerCount('news')).toBe(0);
    expect(errors).toEqual([]); // a client that leaves is nobody's fault
  });

  it('ends when the app stops, and then its tasks run', async () => {
    const ran: unknown[] = [];
    const app = createApp(QUIET).get('/', ({ ctx }) => {
      ctx.tasks.add(() => void ran.push(ctx.outcome));
      return sse(() => undefined);
    });
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await once(socket, 'data');
    const closed = app.close({ drainTimeout: '10s' });
    await once(socket, 'end');
    expect(await closed).toEqual({ abandoned: [] });
    expect(ran).toEqual(['sent']);
  });

  it('cuts a client that leaves more than 1 MiB unread', async () => {
    const cut = Promise.withResolvers<number>();
    const app: App = createApp(QUIET).get('/', () =>
      sse((stream) => {
        const chunk = 'x'.repeat(64 * 1024);
        let sent = 0;
        stream.signal.addEventListener('abort', () => cut.resolve(sent));
        const feed = setInterval(() => {
          stream.send({ data: chunk });
          sent += chunk.length;
        }, 0);
        return () => clearInterval(feed);
      }),
    );
    const errors = loggedErrors(app);
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.pause();
    await once(socket, 'connect');
    expect(await cut.promise).toBeGreaterThan(1024 * 1024);
    expect(errors).toMatchObject([{ err: { message: expect.stringContaining('1 MiB unread') } }]);
    socket.destroy();
  });

  it('asks an iterable for more only when there is room', async () => {
    let asked = 0;
    const app = createApp(QUIET)
      .get('/', () =>
        sse(async function* () {
          for (;;) {
            asked += 1;
            await new Promise(setImmediate);
            yield { data: 'x'.repeat(64 * 1024) };
          }
        }),
      )
      .get('/other', () => 'ok');
    await using server = await serve(app);
    const socket = connect(server.port, '127.0.0.1').on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.pause();
    await once(socket, 'connect');
    let before = -1;
    while (before !== asked || asked === 0) {
      before = asked;
      await (await server.fetch('/other')).text(); // the server has gone on
    }
    expect(asked).toBeLessThan(1000); // what the sockets' buffers hold, and no more
    socket.destroy();
  });

  it('starts nothing for HEAD', async () => {
    const source = vi.fn<() => void>();
    const app = createApp(QUIET).get('/', () => sse(source));
    await using server = await serve(app);
    const response = await server.fetch('/', { method: 'HEAD' });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(source).not.toHaveBeenCalled();
  });
});
