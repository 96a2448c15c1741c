// What Node's http does when a response ends. Nothing of ours is used here: where one of these tests
// fails on a new Node, `src/socket/response-end.ts` has to be looked at.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { gate } from '../support/tasks-record.ts';
import { NODE, plain } from './node-http.ts';

const REQUEST = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n';
const BIG = Buffer.alloc(64 * 1024 * 1024);

describe('node:http', () => {
  for (const [name, request, status] of [
    ['a plain answer', REQUEST, 200],
    ['HEAD', REQUEST.replace('GET', 'HEAD'), 200],
    ['204', REQUEST, 204],
  ] as const) {
    it(`says finish and then close after ${name}`, async () => {
      await using http = await plain((_, res) => res.writeHead(status).end());
      http.client.write(request);
      await once(http.client, 'data');
      const [response] = http.responses;
      await response!.until('close');
      expect(response!.events).toEqual(['finish', 'close']);
      expect(response!.res.writableFinished).toBe(true);
      expect(response!.req.socket.destroyed).toBe(false);
    });
  }

  it('says finish only when the client has taken a large body, long after the next turn', async () => {
    await using http = await plain((_, res) => res.end(BIG));
    http.client.pause();
    http.client.write(REQUEST);
    await http.asked(1);
    await http.askElsewhere();
    const [response] = http.responses;
    expect(response!.events).toEqual([]);
    expect(response!.req.socket.writableLength).toBeGreaterThan(0);
    http.client.resume();
    await response!.until('finish');
    expect(response!.req.socket.writableLength).toBe(0);
  });

  it(`${NODE < 24 ? 'says' : 'does not say'} finish when the client resets in mid-flush`, async () => {
    await using http = await plain((_, res) => res.end(BIG));
    http.client.write(REQUEST);
    await once(http.client, 'data');
    http.client.resetAndDestroy();
    const [response] = http.responses;
    await response!.until('close');
    await response!.until('socket close');
    expect(response!.events.includes('finish')).toBe(NODE < 24);
    expect(response!.res.writableFinished).toBe(NODE < 24);
    // The socket tells the truth in every version.
    expect(response!.req.socket.destroyed).toBe(true);
  });

  it('says close, and not finish, when the client aborts a stream; listeners have no async store', async () => {
    const store = new AsyncLocalStorage<string>();
    let seen: string | undefined = 'never called';
    await using http = await plain((_, res) => {
      store.run('of the request', () => {
        res.on('close', () => (seen = store.getStore()));
        Readable.from(
          (async function* () {
            for (;;) {
              yield 'x'.repeat(1000);
              await new Promise(setImmediate);
            }
          })(),
        )
          .on('error', () => undefined)
          .pipe(res);
      });
    });
    http.client.write(REQUEST);
    await once(http.client, 'data');
    http.client.resetAndDestroy();
    const [response] = http.responses;
    await response!.until('close');
    expect(response!.events).not.toContain('finish');
    expect(response!.res.writableFinished).toBe(false);
    expect(seen).toBe(undefined);
  });

  it('says close before a slow handler has ended, whose end() then says nothing', async () => {
    const left = gate();
    const ended = gate();
    await using http = await plain((_, res) => {
      void left.opened.then(() => {
        res.end('too late');
        ended.open();
      });
    });
    http.client.write(REQUEST);
    await http.asked(1);
    http.client.resetAndDestroy();
    const [response] = http.responses;
    await response!.until('close');
    left.open();
    await ended.opened;
    await http.askElsewhere();
    expect(response!.events.filter((event) => event !== 'socket close')).toEqual(['close']);
    expect(response!.res.closed).toBe(true);
    expect(response!.req.socket.destroyed).toBe(true);
  });

  it('says finish for a pipelined response after that of the first, whose async store its listener sees', async () => {
    const store = new AsyncLocalStorage<number>();
    const seen: (number | undefined)[] = [];
    const isFirstReady = gate();
    let count = 0;
    await using http = await plain((_, res) => {
      const number = ++count;
      store.run(number, () => {
        res.on('finish', () => seen.push(store.getStore()));
        if (number === 2) res.end('second');
        else void isFirstReady.opened.then(() => res.end('first'));
      });
    });
    http.client.write(REQUEST + REQUEST);
    await http.asked(2);
    await http.askElsewhere();
    expect(http.responses[1]!.events).toEqual([]); // it waits for the first
    isFirstReady.open();
    await http.responses[1]!.until('finish');
    expect(seen).toEqual([1, 1]);
  });

  it(`says ${NODE < 24 ? 'nothing' : 'close'} of a pipelined response whose client vanished`, async () => {
    await using http = await plain((_, res) => {
      if (http.responses.length === 2) res.end('second');
    });
    http.client.write(REQUEST + REQUEST);
    await http.asked(2);
    http.client.resetAndDestroy();
    const [first, second] = http.responses;
    await first!.until('close');
    await second!.until('socket close');
    await http.askElsewhere();
    expect(second!.events.filter((event) => event !== 'socket close')).toEqual(
      NODE < 24 ? [] : ['close'],
    );
  });

  it('closes the connection of a client that half-closes, without finish', async () => {
    const left = gate();
    await using http = await plain((_, res) => {
      void left.opened.then(() => res.end('late'));
    });
    http.client.end(REQUEST);
    await http.asked(1);
    const [response] = http.responses;
    await response!.until('close');
    left.open();
    await http.askElsewhere();
    expect(response!.events).not.toContain('finish');
  });

  it('closes its server with no regard to what a listener has still to do', async () => {
    const isOver = gate();
    let isDone = false;
    {
      await using http = await plain((_, res) => {
        res.on('finish', () => void isOver.opened.then(() => (isDone = true)));
        res.end('ok');
      });
      http.client.write(REQUEST);
      await once(http.client, 'data');
    } // the server is closed
    expect(isDone).toBe(false);
    isOver.open();
    await isOver.opened;
  });
});
