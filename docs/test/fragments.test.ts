import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApp } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it, vi } from 'vitest';
import { timeServer } from '../listings/guides/provide.ts';
import { blocksOf, docs } from './support/page.ts';
import { Program } from './support/program.ts';

const listings = join(docs, 'listings');

describe('the guide to dependency injection', () => {
  it('shows ways to provide a token that work, of which the last counts', async () => {
    const source = readFileSync(join(listings, 'guides/provide.ts'), 'utf8');
    const fragment = blocksOf('guides/dependency-injection.md').find(
      ({ language, file }) => language === 'ts' && !file,
    )!;
    expect(fragment.text).toContain('app.provide');
    for (const line of fragment.text.trim().split('\n')) expect(source).toContain(line);
    await using t = await testApp(timeServer({ logger: false }), { over: 'socket' }).start();
    expect(await (await t.get('/')).json()).toEqual({ year: 1970 });
  });
});

describe('the page of task events', () => {
  it('shows how to be told of failures', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      await import('../listings/reference/task-failed.ts');
      const app = createApp({ logger: false }).get('/', ({ ctx }) => {
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
    const program = new Program(command.split(' '), join(listings, 'reference'));
    await program.ready();
    other.close();
    expect(program.output).toBe('Perhaps it runs already.\n');
    expect(program.exitCode).toBe(0);
  });
});
