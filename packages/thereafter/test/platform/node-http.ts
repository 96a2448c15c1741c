import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** What Node said of one response, in order. */
export interface Watched {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly events: string[];
  /** Waits for an event, unless it has been. */
  until(event: 'finish' | 'close' | 'socket close'): Promise<void>;
}

/** A server of plain `node:http`, and a client of plain `node:net`. */
export interface Plain extends AsyncDisposable {
  readonly client: Socket;
  readonly responses: readonly Watched[];
  /** Waits until as many requests as that have come. */
  asked(count: number): Promise<void>;
  /** Asks on another connection, with the method OPTIONS: when it is answered, what could happen has happened. */
  askElsewhere(): Promise<void>;
}

/** The major version: what Node says of an aborted response depends on it. */
export const NODE = Number(process.versions.node.split('.')[0]);

export async function plain(
  listener: (req: IncomingMessage, res: ServerResponse) => void,
): Promise<Plain> {
  const responses: Watched[] = [];
  let wake = (): void => undefined;
  const server = createServer((req, res) => {
    if (req.method === 'OPTIONS') return res.end();
    responses.push(watch(req, res));
    listener(req, res);
    wake();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined); // a test may cut it
  await once(client, 'connect');
  return {
    client,
    responses,
    async asked(count) {
      while (responses.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    async askElsewhere() {
      const asking = request({ port, host: '127.0.0.1', method: 'OPTIONS', agent: false }).end();
      const [answer] = (await once(asking, 'response')) as [IncomingMessage];
      await once(answer.resume(), 'end');
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function watch(req: IncomingMessage, res: ServerResponse): Watched {
  const events: string[] = [];
  let wake = (): void => undefined;
  const note = (event: string) => (): void => {
    events.push(event);
    wake();
  };
  res.on('finish', note('finish')).on('close', note('close'));
  req.socket.once('close', note('socket close'));
  return {
    req,
    res,
    events,
    async until(event) {
      while (!events.includes(event)) await new Promise<void>((resolve) => (wake = resolve));
    },
  };
}
