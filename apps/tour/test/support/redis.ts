import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';

/** Whether there is a Redis to start. Says so when there is none. */
export const hasRedis = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'redis-server')));

if (!hasRedis) {
  console.warn(
    'SKIPPED: the cache in a real Redis, because redis-server is not on the PATH. Install it with: apt-get install -y --no-install-recommends redis-server',
  );
}

/** A Redis on a free port that keeps nothing. Ends at the end of a block, or with `stop()`. */
export async function startRedis(): Promise<
  AsyncDisposable & { readonly url: string; stop(): Promise<void> }
> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tour-redis-'));
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', [...args, '--dir', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(server, 'exit');
  let isReady = false;
  for await (const line of createInterface(server.stdout)) {
    if ((isReady = line.includes('Ready to accept connections'))) break;
  }
  if (!isReady) throw new Error(`redis-server did not start on port ${port}.`);
  server.stdout.resume(); // or it would stop at a full pipe
  const stop = async (): Promise<void> => {
    server.kill();
    await exited;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      rmSync(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
