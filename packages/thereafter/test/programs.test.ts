import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { createApp } from 'thereafter';
import { describe, expect, it, vi } from 'vitest';
import { UsersController } from './programs/controller.ts';
import { SignupController } from './programs/background.ts';
import { app as cart } from './programs/errors.ts';
import { QUIET, serve } from './support/serve.ts';

const here = import.meta.dirname;

function runProgram(file: string) {
  return spawn(
    process.execPath,
    [
      '--conditions=thereafter-source',
      // The programs name port 3000, which may be taken here.
      '--import',
      join(here, 'support/any-port.js'),
      '--import',
      join(here, '../../cli/src/register.ts'),
      join(here, 'programs', file),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

// What they say of types is checked by the type check of this folder, of which they are part.
describe('a program as its user writes it', () => {
  it('says hello in five lines', async () => {
    const program = runProgram('hello.ts');
    try {
      const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
      const { url } = JSON.parse(line) as { url: string };
      expect(await (await fetch(url)).json()).toEqual({ hello: 'world' });
      expect(await (await fetch(`${url}/greet?name=Ada&times=2`)).json()).toEqual({
        text: 'Hi Ada! Hi Ada!',
      });
      expect((await fetch(`${url}/greet?name=&times=9`)).status).toBe(422);
    } finally {
      program.kill();
      await once(program, 'exit');
    }
  });

  it('answers with what the schemas of its controller allow', async () => {
    await using server = await serve(createApp(QUIET).include(UsersController));
    const created = await server.post('/users', { name: 'Ada', email: 'ada@x.io' });
    expect(created.status).toBe(201);
    expect(await created.json()).toEqual({ id: 1, name: 'Ada', email: 'ada@x.io' });
    expect(await (await server.fetch('/users/1')).json()).not.toHaveProperty('passwordHash');
    expect(await (await server.fetch('/users?limit=1')).json()).toHaveLength(1);
    const missing = await server.fetch('/users/9');
    expect(missing.status).toBe(404);
    expect(await missing.json()).toMatchObject({ title: 'Not Found', detail: 'no user 9' });
  });

  it('adds tasks in a dependency and in a handler, which run after the response', async () => {
    const printed: unknown[][] = [];
    const log = vi.spyOn(console, 'log').mockImplementation((...args) => void printed.push(args));
    try {
      const app = createApp(QUIET).include(SignupController);
      await using server = await serve(app);
      const response = await server.post('/signup', { name: 'Ada', email: 'ada@x.io' });
      expect(response.status).toBe(201);
      await app.tasks.settled();
      expect(printed).toEqual([
        ['touched', '/signup', expect.any(Number)],
        ['ada@x.io', 'Welcome'],
      ]);
    } finally {
      log.mockRestore();
    }
  });

  it('has a problem of its own type with members, and makes one of the error of a driver', async () => {
    await using server = await serve(cart);
    expect((await server.post('/cart/book', {})).status).toBe(200);
    const response = await server.post('/cart/none', {});
    expect(response.status).toBe(409);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: '/problems/out-of-stock',
      title: 'Out of stock',
      status: 409,
      detail: 'no none left',
      instance: '/cart/none',
      requestId: expect.any(String),
      available: 0,
    });
  });

  it('has settings, middleware and a lifespan', async () => {
    const program = runProgram('lifecycle.ts');
    try {
      const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
      const { url } = JSON.parse(line) as { url: string };
      const response = await fetch(`${url}/api/users`);
      expect(await response.json()).toEqual([]);
      expect(response.headers.get('server-timing')).toMatch(/^app;dur=[\d.]+$/);
    } finally {
      program.kill();
      await once(program, 'exit');
    }
  });

  it('fails to compile, on each line that misuses something', async () => {
    const folder = join(here, 'programs/must-not-compile');
    const lines = readFileSync(join(folder, 'misuse.ts'), 'utf8').split('\n');
    const tsc = join(here, '../../../node_modules/.bin/tsc');
    const failure = await promisify(execFile)(tsc, ['-p', folder]).then(
      () => ({ stdout: '' }),
      (error: { stdout: string }) => error,
    );
    const refused = [...failure.stdout.matchAll(/misuse\.ts\((\d+),/g)].map(([, line]) =>
      lines[Number(line) - 1]!.trim(),
    );
    expect(refused).toEqual([
      expect.stringContaining('@Inject(Clock) c: { tick(): void }'),
      expect.stringContaining("@Path('id', Type.Integer()) id: string"),
      expect.stringContaining('@Depends(currentUser) u: { nope: 1 }'),
      expect.stringContaining("return { id: 'x' }"),
      expect.stringContaining("return { id: 1, name: 'n' }"),
      expect.stringContaining("t.add(SendWelcome, { userId: 'x' })"),
      expect.stringContaining('class BadTask'),
    ]);
    // The line with the wrong body type says itself that it must fail, and fails the check if it does not.
    expect(failure.stdout).not.toContain('Unused');
  });
});
