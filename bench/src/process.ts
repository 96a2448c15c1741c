import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pinned } from './pinning.ts';
import type { Usage } from './probe.ts';

/** A server program in a process of its own. */
export class ServerProcess implements AsyncDisposable {
  readonly url: string;
  /** From the start of the process to its first answer. */
  readonly startMs: number;
  readonly #child: ChildProcess;

  private constructor(url: string, startMs: number, child: ChildProcess) {
    this.url = url;
    this.startMs = startMs;
    this.#child = child;
  }

  /** Starts a built program and waits until it answers `GET /hello`. */
  static async start(
    file: string,
    {
      env = {},
      flags = [],
    }: { readonly env?: Record<string, string>; readonly flags?: string[] } = {},
  ): Promise<ServerProcess> {
    const port = await freePort();
    const probe = fileURLToPath(new URL('../dist/src/probe.mjs', import.meta.url));
    const [command, ...args] = pinned(0, [process.execPath, ...flags, '--import', probe, file]);
    const startedAtMs = performance.now();
    const child = spawn(command, args, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production', PORT: String(port), ...env },
    });
    const url = `http://127.0.0.1:${port}`;
    while (!(await answers(`${url}/hello`))) {
      if (child.exitCode !== null) throw new Error(`${file} ended before it answered`);
      if (performance.now() - startedAtMs > 30_000) {
        child.kill();
        throw new Error(`${file} did not answer within 30 s`);
      }
    }
    return new ServerProcess(url, performance.now() - startedAtMs, child);
  }

  /** What the process has used so far. */
  async usage(message: 'usage' | 'gc' = 'usage'): Promise<Usage> {
    const answer = once(this.#child, 'message');
    this.#child.send(message);
    const [usage] = await answer;
    return usage as Usage; // sent by probe.ts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.text();
    return response.status === 200;
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 1)); // not listening yet
    return false;
  }
}

/** A port that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // listening on a port
  server.close();
  await once(server, 'close');
  return port;
}
