import { once } from 'node:events';
import { existsSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createApp } from 'thereafter';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QUIET } from '../support/serve.ts';
import { launchWith } from '../support/tasks-process.ts';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'listen-'));
  path = join(folder, 'app.sock');
});

afterEach(() => rmSync(folder, { recursive: true }));

async function ask(socketPath: string): Promise<string> {
  const asking = request({ socketPath, path: '/', agent: false });
  const [res] = (await once(asking.end(), 'response')) as [IncomingMessage];
  return text(res);
}

function app() {
  return createApp(QUIET).get('/', ({ ctx }) => `<${ctx.clientAddress}> ${ctx.url.href}`);
}

/** A socket file that nobody listens at, as a process leaves it that was killed. */
async function leaveBehind(): Promise<void> {
  const server = createServer().listen(join(folder, 'other.sock'));
  await once(server, 'listening');
  linkSync(join(folder, 'other.sock'), path);
  server.close();
  await once(server, 'close');
}

describe('listen({ path })', () => {
  it('answers at a Unix socket, which is gone when the app is closed', async () => {
    const unix = app();
    expect(await unix.listen({ path })).toEqual({ url: `unix:${path}` });
    expect(unix.url).toBe(`unix:${path}`);
    expect(await ask(path)).toBe('<> http://localhost/'); // nobody has an address here
    await unix.close();
    expect(existsSync(path)).toBe(false);
  });

  it('replaces a socket that nobody listens at any more', async () => {
    await leaveBehind();
    await using unix = app();
    await unix.listen({ path });
    expect(await ask(path)).toContain('http://localhost/');
  });

  it('refuses a socket at which somebody listens, and a file that is none', async () => {
    await using first = app();
    await first.listen({ path });
    const file = join(folder, 'file');
    writeFileSync(file, 'precious');
    for (const taken of [path, file]) {
      await expect(app().listen({ path: taken })).rejects.toMatchObject({
        code: 'LISTEN_FAILED',
        message: `Cannot listen at ${taken}: another program is using it.`,
        port: undefined,
      });
      expect(existsSync(taken)).toBe(true);
    }
    expect(await ask(path)).toContain('http://localhost/');
  });

  it('gives way to a port', async () => {
    await using both = app();
    const { url } = await both.listen({ port: 0, host: '127.0.0.1', path });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(existsSync(path)).toBe(false);
  });
});

describe('listen({ fd })', () => {
  const fdOf = (server: object): number => (server as { _handle: { fd: number } })._handle.fd; // Node has no other way to it

  it('answers at a port that the process was started with', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using program = launchWith(fdOf(server), 'inherited-server.ts');
    await program.line('"listening"');
    server.close();
    const url = `http://127.0.0.1:${port}`;
    expect(await (await fetch(url)).text()).toBe(url);
    program.kill('SIGTERM');
    expect(await program.end()).toBe(0);
  });

  it('answers at a Unix socket that the process was started with', async () => {
    const server = createServer().listen(path);
    await once(server, 'listening');
    await using program = launchWith(fdOf(server), 'inherited-server.ts');
    await program.line('"listening"');
    const alias = join(folder, 'alias.sock');
    linkSync(path, alias); // closing takes the path away
    server.close();
    expect(await ask(alias)).toBe('fd:3');
    program.kill('SIGTERM');
    expect(await program.end()).toBe(0);
  });

  it('is refused when it is none', async () => {
    await expect(app().listen({ fd: 999 })).rejects.toMatchObject({
      code: 'LISTEN_FAILED',
      message: expect.stringContaining('on descriptor 999') as string,
    });
  });
});
