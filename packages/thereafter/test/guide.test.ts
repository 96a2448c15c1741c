import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp, type App } from 'thereafter';
import { describe, expect, it } from 'vitest';
import * as context from './guide/context.ts';
import * as dependency from './guide/dependency.ts';
import * as failure from './guide/failure.ts';
import * as late from './guide/late.ts';
import * as limits from './guide/limits.ts';
import * as policy from './guide/policy.ts';
import * as taskClass from './guide/task-class.ts';
import { testSignup } from './guide/testing.ts';
import * as thread from './guide/thread.ts';
import * as timeout from './guide/timeout.ts';
import { QUIET, serve } from './support/serve.ts';

const docs = join(import.meta.dirname, '..', '..', '..', 'docs');

/** Asks an app for a path, and waits for the tasks. */
async function ask(app: App, path: string): Promise<number> {
  await using server = await serve(app);
  const { status } = await server.fetch(path);
  await app.tasks.settled();
  return status;
}

describe('the guide to background tasks', () => {
  it('shows every listing that is tested here', () => {
    const guide = readFileSync(join(docs, 'guides', 'background-tasks.md'), 'utf8');
    const missing = globSync('guide/*.ts', { cwd: import.meta.dirname }).filter(
      (file) => !guide.includes(readFileSync(join(import.meta.dirname, file), 'utf8')),
    );
    expect(missing).toEqual([]);
  });

  it('is right about answering first, and about testing', async () => {
    await expect(testSignup()).resolves.toBeUndefined(); // it asserts by itself, as a reader would
  });

  it('is right about dependencies', async () => {
    await ask(createApp(QUIET).include(dependency.PagesController), '/pages/home');
    expect(dependency.visits).toEqual(['/pages/home']);
  });

  it('is right about task classes', async () => {
    const mailer = new taskClass.Mailer();
    const app = createApp(QUIET)
      .include(taskClass.SendReceipt)
      .provide(taskClass.Mailer, { value: mailer })
      .get('/', ({ ctx }) => {
        ctx.tasks.add(taskClass.SendReceipt, { email: 'ada@example.com', orderId: 1 });
        return 'ok';
      });
    await ask(app, '/');
    expect(mailer.sent).toEqual(['ada@example.com']);
  });

  it('is right about policies', async () => {
    await ask(createApp(QUIET).get('/', policy.order), '/');
    expect(policy.ran.splice(0)).toEqual([
      'the handler returned',
      'the client was given the answer',
      'whatever happened',
    ]);
    expect(await ask(createApp(QUIET).get('/', policy.order), '/?fail=1')).toBe(500);
    expect(policy.ran).toEqual([
      'the client was given the answer',
      'the handler threw',
      'whatever happened',
    ]);
  });

  it('is right about failures', async () => {
    await ask(failure.print(QUIET), '/print');
    expect(failure.reports).toEqual([
      expect.stringMatching(/^fail: Error: the printer is on fire \(/),
      'the next task runs',
      expect.stringMatching(/^last straw: /),
    ]);
  });

  it('is right about timeouts', async () => {
    await ask(createApp(QUIET).get('/', timeout.start), '/');
    expect(timeout.log.toSorted()).toEqual(['stopped: TASK_TIMEOUT', 'the next task starts']);
  });

  it('is right about tasks that come late or not at all', async () => {
    await ask(createApp(QUIET).get('/', late.work), '/');
    expect(late.log).toEqual(['first', 'second', 'added by the first: comes last']);
  });

  it('is right about limits', async () => {
    expect(await ask(limits.gallery(QUIET), '/strict')).toBe(503);
    expect(await ask(limits.gallery(QUIET), '/lenient')).toBe(200);
  });

  it('is right about threads', async () => {
    await ask(createApp(QUIET).get('/', thread.count), '/');
    expect(thread.results).toEqual([25]);
  });

  it('is right about async-local values', async () => {
    await ask(createApp(QUIET).get('/', context.remove), '/');
    expect(context.audit).toEqual(['ada', 'ada']);
  });
});

describe('the map of the lifecycle', () => {
  const map = readFileSync(join(docs, 'lifecycle.md'), 'utf8');

  it('names only files that there are', () => {
    const named = [...map.matchAll(/`((?:packages|docs)\/[\w./-]+\.(?:ts|md))`/g)].map(
      ([, f]) => f!,
    );
    expect(named.length).toBeGreaterThan(10);
    const missing = named.filter((file) => globSync(file, { cwd: join(docs, '..') }).length === 0);
    expect(missing).toEqual([]);
  });

  it('answers each question with a function or class that its file has', () => {
    const rows = [...map.matchAll(/^\| .+\? +\| `(\w+)(?:\(\))?` +\| `([\w./-]+)` +\|$/gm)];
    expect(rows.length).toBeGreaterThanOrEqual(10);
    const missing = rows.filter(([, name, file]) => {
      const code = readFileSync(join(docs, '..', file!), 'utf8');
      return !new RegExp(
        `^export (?:async )?(?:function|class) ${name}\\b|^function ${name}\\b`,
        'm',
      ).test(code);
    });
    expect(missing.map(([row]) => row)).toEqual([]);
  });

  it('names the states of an exchange', () => {
    const code = readFileSync(join(import.meta.dirname, '..', 'src', 'exchange.ts'), 'utf8');
    const [, union = ''] = /^export type ExchangeState = (.+);$/m.exec(code) ?? [];
    const states = [...union.matchAll(/'(\w+)'/g)].map(([, state]) => state!);
    const rows = [...map.matchAll(/^\| `(\w+)` +\| /gm)].map(([, state]) => state!);
    expect(rows).toEqual(states);
  });
});
