import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';

const folder = join(import.meta.dirname, '..');

function start(port: number) {
  return spawn(
    process.execPath,
    ['--conditions=thereafter-source', '--import', '@thereafter/cli/register', 'src/main.ts'],
    { cwd: folder, env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

it('answers, reminds after the answer, and ends on SIGTERM', async () => {
  const program = start(0);
  const exited = once(program, 'exit');
  const lines = createInterface(program.stdout)[Symbol.asyncIterator]();
  const { url } = JSON.parse((await lines.next()).value as string) as { url: string };
  expect(await (await fetch(url)).json()).toEqual({ hello: 'world' });
  const response = await fetch(`${url}/remind?what=milk`, { method: 'POST' });
  expect(await response.json()).toEqual({ message: 'You will be reminded' });
  expect((await lines.next()).value).toBe('Remember: milk');
  program.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

it('says in one line that its port is taken', async () => {
  const other = createServer().listen(0);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const program = start(port);
  const [said, [code]] = await Promise.all([text(program.stderr), once(program, 'exit')]);
  other.close();
  expect(code).toBe(1);
  expect(said).toBe(
    `Cannot listen on port ${port}: another program is using it. Stop that one, or choose a free port with PORT=<number>.\n`,
  );
});
