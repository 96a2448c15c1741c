import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Tests with Redis start their own; without the program they are skipped, which is said aloud. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis) {
  console.warn(
    '\n!!! redis-server is not installed: the tests of the BullMQ driver are SKIPPED.\n' +
      '!!! To run them: apt-get install redis-server\n',
  );
}

export interface RedisSettings {
  /** Default `yes`. */
  readonly appendonly?: 'yes' | 'no';
  /** Default `everysec`. */
  readonly appendfsync?: 'always' | 'everysec';
  /** Default `noeviction`. */
  readonly 'maxmemory-policy'?: string;
}

/** A Redis of one's own, on a free port, with its log in a temporary folder. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** The same again, on the same port, with what its log holds. */
  restart(): Promise<void>;
}

export async function startRedis(settings: RedisSettings = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'thereafter-redis-'));
  let child = await launch(port, folder, settings);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    async restart() {
      await kill();
      child = await launch(port, folder, settings);
    },
    async [Symbol.asyncDispose]() {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function launch(
  port: number,
  folder: string,
  settings: RedisSettings,
): Promise<ChildProcess> {
  const options = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.includes('Ready to accept connections')) {
      child.stdout.resume(); // else it would stop when the pipe is full
      return child;
    }
  }
  throw new Error(`redis-server ended before it was ready (port ${port}).`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  server.close();
  await once(server, 'close');
  return port;
}
