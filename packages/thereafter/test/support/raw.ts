import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An answer as it came over the wire: nothing decoded, no redirect followed. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks with the path as it is written here, which `fetch` would tidy up. */
export async function get(
  { url }: { readonly url: string },
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<RawResponse> {
  const { hostname, port } = new URL(url);
  const req = request({ hostname, port, path, method, headers, agent: false }).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return { status: res.statusCode!, headers: res.headers, body: await buffer(res) };
}

/** A client that says exactly what it is told to. Ends at the end of a block. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket;
  send(...pieces: readonly (string | Buffer)[]): void;
  /** What has come so far. */
  readonly received: string;
  /** What broke the connection, such as a reset; nothing when it was closed in order. */
  readonly failure: Error | undefined;
  /** Waits until this many answers have come, or the server has closed. */
  answers(count: number): Promise<string[]>;
  /** Everything, once the server has closed. */
  end(): Promise<string>;
}

/** @param allowHalfOpen - Whether it goes on sending when the server has closed its side; default false. */
export async function rawClient(port: number, allowHalfOpen = false): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  await once(socket, 'connect');
  let received = '';
  let isClosed = false;
  let wake = (): void => undefined;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  let failure: Error | undefined;
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => {
    isClosed = true;
    wake();
  });
  const until = async (condition: () => boolean): Promise<void> => {
    while (!isClosed && !condition()) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    socket,
    send(...pieces) {
      for (const piece of pieces) socket.write(piece);
    },
    get received() {
      return received;
    },
    get failure() {
      return failure;
    },
    async answers(count) {
      await until(() => split(received).length >= count && isComplete(split(received).at(-1)!));
      return split(received);
    },
    async end() {
      await until(() => false);
      return received;
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
      if (!isClosed) await once(socket, 'close');
    },
  };
}

function split(received: string): string[] {
  return received.split(/(?=HTTP\/1\.1 \d{3} )/).filter(Boolean);
}

function isComplete(answer: string): boolean {
  const [head = '', body] = answer.split('\r\n\r\n');
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  return body !== undefined && (length === undefined || body.length >= Number(length));
}

/** The status of an answer as it came. */
export function statusOf(answer: string | undefined): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer ?? '')?.[1]);
}
