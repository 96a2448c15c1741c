import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that is as polite as the test wants it to be. */
export interface RawClient extends Disposable {
  readonly socket: Socket;
  /** Everything that has come so far. */
  readonly received: string;
  /** Sends the lines of a request head, an empty line, and a body. */
  send(head: readonly string[], body?: string): void;
  /** Waits until what has come contains a text, which it then forgets up to its end. */
  read(text: string): Promise<string>;
  /** Waits until the server has ended the connection, and gives what has come. */
  end(): Promise<string>;
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(socket, 'connect');
  let received = '';
  let hasEnded = false;
  let wake = (): void => undefined;
  const end = (): void => {
    hasEnded = true;
    wake();
  };
  socket.setEncoding('latin1');
  socket.on('data', (chunk: string) => {
    received += chunk;
    wake();
  });
  socket.on('end', end).on('close', end).on('error', end); // a connection that was cut has ended
  const change = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  return {
    socket,
    get received() {
      return received;
    },
    send: (head, body = '') => void socket.write(`${head.join('\r\n')}\r\n\r\n${body}`),
    async read(text) {
      while (!received.includes(text)) {
        if (hasEnded) throw new Error(`The server ended the connection after: ${received}`);
        await change();
      }
      const end = received.indexOf(text) + text.length;
      const head = received.slice(0, end);
      received = received.slice(end);
      return head;
    },
    async end() {
      while (!hasEnded) await change();
      return received;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

/** The head of a GET request. */
export function get(path: string, ...headers: string[]): string[] {
  return [`GET ${path} HTTP/1.1`, 'Host: x', ...headers];
}
