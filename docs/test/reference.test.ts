import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it, vi } from 'vitest';
import { docs } from './support/page.ts';
import { Program } from './support/program.ts';
import { QUIET } from './support/quiet.ts';

describe('the page of task events', () => {
  it('shows how to be told of failures', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      await import('../listings/reference/events/task-failed.ts');
      const app = createApp(QUIET).get('/', ({ ctx }) => {
        ctx.tasks.with({ name: 'print' }).add(() => {
          throw new Error('on fire');
        });
        return ctx.id;
      });
      await using t = await testApp(app, { over: 'socket' }).start();
      const id = await (await t.get('/')).text();
      await t.tasks.settled();
      expect(said).toHaveBeenCalledExactlyOnceWith(`print of ${id} failed`, new Error('on fire'));
    } finally {
      said.mockRestore();
    }
  });
});

describe('the page of error codes', () => {
  it('shows how to match on a code', async () => {
    const other = createServer().listen(0);
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const command = `PORT=${port} node --import @thereafter/cli/register port-taken.ts`;
    const program = new Program(command.split(' '), join(docs, 'listings/reference/errors'));
    await program.ready();
    other.close();
    expect(program.output).toBe('Perhaps it runs already.\n');
    expect(program.exitCode).toBe(0);
  });
});
