import { createApp, type App } from 'thereafter';
import { testApp } from 'thereafter/testing';
import { describe, expect, it } from 'vitest';
import * as context from '../../listings/guides/background-tasks/context.ts';
import * as dependency from '../../listings/guides/background-tasks/dependency.ts';
import * as failure from '../../listings/guides/background-tasks/failure.ts';
import * as late from '../../listings/guides/background-tasks/late.ts';
import * as limits from '../../listings/guides/background-tasks/limits.ts';
import * as policy from '../../listings/guides/background-tasks/policy.ts';
import * as taskClass from '../../listings/guides/background-tasks/task-class.ts';
import { testSignup } from '../../listings/guides/background-tasks/testing.ts';
import * as thread from '../../listings/guides/background-tasks/thread.ts';
import * as timeout from '../../listings/guides/background-tasks/timeout.ts';
import { QUIET } from '../support/quiet.ts';

/** Asks an app for a path, and waits for the tasks. */
async function ask(app: App, path: string): Promise<number> {
  await using t = await testApp(app, { over: 'socket' }).start();
  const { status } = await t.get(path);
  await t.tasks.settled();
  return status;
}

describe('the guide to background tasks', () => {
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
