import { inThread } from '@thereafter/tasks';
import { describe, expect, it } from 'vitest';
import type * as threads from './fixtures/threads.ts';
import { createRunner, request } from './request.ts';

const module = new URL('./fixtures/threads.ts', import.meta.url);
const where = inThread<typeof threads.where>(module, 'where');
const fails = inThread<typeof threads.fails>(module, 'fails');
const forever = inThread<typeof threads.forever>(module, 'forever');

describe('inThread', () => {
  it('runs an exported function in a worker thread, with its arguments and its result', async () => {
    const runner = createRunner();
    const { tasks, respond } = request(runner);
    let result: unknown;
    tasks.add(async () => (result = await where(1, 2)));
    const handle = tasks.add(where, 3, 4);
    respond();
    await runner.settled();
    expect(runner.logged).toEqual([]);
    expect(result).toEqual({ sum: 3, isMainThread: false });
    expect(handle.name).toBe('where');
    await runner.close(0);
  });

  it('finds the source of a module by the name that it has once compiled', async () => {
    const compiled = new URL('./fixtures/threads.js', import.meta.url);
    const runner = createRunner();
    const { tasks, respond } = request(runner);
    let result: unknown;
    tasks.add(async () => {
      result = await inThread<typeof threads.where>(compiled, 'where')(1, 2);
    });
    respond();
    await runner.settled();
    expect(runner.logged).toEqual([]);
    expect(result).toEqual({ sum: 3, isMainThread: false });
    await runner.close(0);
  });

  it('names the module that is not there', async () => {
    const missing = new URL('./fixtures/missing.js', import.meta.url);
    const runner = createRunner();
    const errors: unknown[] = [];
    runner.onError = (error) => errors.push(error);
    const { tasks, respond } = request(runner);
    tasks.add(inThread(missing, 'where'));
    respond();
    await runner.settled();
    expect(String(errors[0])).toContain('missing.js');
    await runner.close(0);
  });

  it('names the function that the module does not export', async () => {
    const runner = createRunner();
    const errors: unknown[] = [];
    runner.onError = (error) => errors.push(error);
    const { tasks, respond } = request(runner);
    tasks.add(inThread(new URL('./fixtures/threads.js', import.meta.url), 'nothing'));
    respond();
    await runner.settled();
    expect(errors).toMatchObject([
      {
        code: 'THREAD_NO_FUNCTION',
        message: expect.stringContaining('exports no function nothing.'),
      },
    ]);
    await runner.close(0);
  });

  it('passes on what the function throws', async () => {
    const runner = createRunner();
    const errors: unknown[] = [];
    runner.onError = (error) => errors.push(error);
    const { tasks, respond } = request(runner);
    tasks.add(fails);
    respond();
    await runner.settled();
    expect(String(errors[0])).toBe('RangeError: too far');
    await runner.close(0);
  });

  it('ends a thread that computes for too long', async () => {
    const runner = createRunner();
    const errors: unknown[] = [];
    runner.onError = (error) => errors.push(error);
    const { tasks, respond } = request(runner);
    tasks.with({ timeout: '300ms' }).add(forever);
    tasks.add(where, 1, 1); // there is a thread for it
    respond();
    await runner.settled();
    expect(errors).toMatchObject([{ code: 'TASK_TIMEOUT' }]);
    await runner.close(0);
  });

  it('ends its threads when the app closes', async () => {
    const runner = createRunner();
    const { tasks, respond } = request(runner);
    tasks.add(forever);
    respond();
    expect(await runner.close(100)).toEqual(['forever']);
  });

  it('says what to do when it is called instead of added', async () => {
    await expect(where(1, 2)).rejects.toMatchObject({
      code: 'THREAD_OUTSIDE_TASK',
      message: expect.stringContaining('tasks.add(where, ...)'),
    });
  });
});
