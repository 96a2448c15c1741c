import { defineTask, TaskRecorder, type TaskRunner } from '@thereafter/tasks';
import fc from 'fast-check';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { createRunner, request } from './request.ts';

/** A task that tells when it starts, and ends when it is told to. */
function steps(): {
  /** The names of those that have started, once there are as many as that. */
  readonly started: (count: number) => Promise<readonly string[]>;
  readonly run: (name: string) => Promise<void>;
  readonly finish: (name: string) => void;
} {
  const names: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    started: async (count) => {
      while (names.length < count) await turn();
      await turn(); // one too many would start now
      return names;
    },
    run: (name) => {
      names.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    },
    finish: (name) => ends.get(name)!(),
  };
}

const turn = (): Promise<void> => new Promise(setImmediate);

describe('TaskRunner', () => {
  it('runs as many tasks of a request at once as concurrency says', async () => {
    const runner = createRunner({ concurrency: 2 });
    const { tasks, respond } = request(runner);
    const { started, run, finish } = steps();
    for (const name of ['a', 'b', 'c']) tasks.add(run, name);
    respond();
    expect(await started(2)).toEqual(['a', 'b']);
    finish('b');
    expect(await started(3)).toEqual(['a', 'b', 'c']);
    finish('a');
    finish('c');
    await runner.settled();
  });

  it('runs what a task adds while it waits beside it, if more may run at once', async () => {
    const runner = createRunner({ concurrency: 4 });
    const { tasks, respond } = request(runner);
    const ran: string[] = [];
    tasks.add(async () => {
      await turn();
      await Promise.all(
        ['a', 'b', 'c'].map(async (name) => {
          const child = Promise.withResolvers<void>();
          tasks.add(async () => {
            ran.push(name);
            await turn();
            child.resolve();
          });
          await child.promise; // would never come if its child had to wait for this task
        }),
      );
      ran.push('parent');
    });
    respond();
    await runner.settled();
    expect(ran).toEqual(['a', 'b', 'c', 'parent']);
  });

  it.each([1, 4])('runs no more tasks at once than %i, whenever they are added', async (most) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 3 }), { maxLength: 20 }), async (waits) => {
        const runner = createRunner({ concurrency: most });
        const { tasks, respond } = request(runner);
        let running = 0;
        let seen = 0;
        let ended = 0;
        const work = async (rest: readonly number[]): Promise<void> => {
          seen = Math.max(seen, ++running);
          const [wait = 0, ...others] = rest;
          for (let i = 0; i < wait; i++) await turn();
          if (others.length > 0) tasks.add(work, others);
          if (wait === 3) await turn();
          running -= 1;
          ended += 1;
        };
        for (let i = 0; i < 3; i++) tasks.add(work, waits);
        respond();
        await runner.settled();
        expect(ended).toBe(3 * Math.max(1, waits.length));
        expect(seen).toBeLessThanOrEqual(most);
      }),
      { numRuns: 30 },
    );
  });

  it('lets tasks wait when maxRunning are under way, those of all requests together', async () => {
    const runner = createRunner({ maxRunning: 2 });
    const { started, run, finish } = steps();
    for (const name of ['a', 'b', 'c', 'd']) {
      const { tasks, respond } = request(runner);
      tasks.add(run, name);
      respond();
    }
    expect(await started(2)).toEqual(['a', 'b']);
    finish('a');
    finish('b');
    expect(await started(4)).toEqual(['a', 'b', 'c', 'd']);
    finish('c');
    finish('d');
    await runner.settled();
  });

  it('runs 1,000 tasks at once and lets 10,000 more wait, unless it is told otherwise', async () => {
    const runner = createRunner();
    const { promise: isOver, resolve: finish } = Promise.withResolvers<void>();
    let started = 0;
    for (let i = 0; i < 11_000; i++) {
      const { tasks, respond } = request(runner);
      tasks.add(() => {
        started += 1;
        return isOver;
      });
      respond();
      while (i === 1000 && started < 1000) await turn(); // what runs does not wait
    }
    await turn(); // one too many would start now
    expect(started).toBe(1000);
    expect(() => request(runner).tasks.add(() => undefined)).toThrow(
      expect.objectContaining({ code: 'TASKS_FULL' }),
    );
    finish();
    await runner.settled();
    expect(started).toBe(11_000);
  });

  it('passes a turn on when the task that waited for it was cancelled', async () => {
    const runner = createRunner({ maxRunning: 1 });
    const { started, run, finish } = steps();
    const handles = ['a', 'b', 'c'].map((name) => {
      const { tasks, respond } = request(runner);
      const handle = tasks.add(run, name);
      respond();
      return handle;
    });
    expect(await started(1)).toEqual(['a']);
    expect(handles[1]!.cancel()).toBe(true);
    finish('a');
    expect(await started(2)).toEqual(['a', 'c']);
    finish('c');
    await runner.settled();
  });

  it('discards the rest of a request when a task fails that asked for it', async () => {
    const runner = createRunner();
    const { tasks, respond } = request(runner);
    const ran: string[] = [];
    tasks.with({ stopOnError: true }).add(() => void ran.push('first'));
    tasks.with({ stopOnError: true }).add(() => Promise.reject(new Error('no')));
    tasks.add(() => void ran.push('third'));
    respond();
    await runner.settled();
    expect(ran).toEqual(['first']);
    expect(runner.logged).toEqual(['background task failed', 'background task discarded']);
  });

  it('survives an error handler that throws, and one that rejects, and says so', async () => {
    for (const broken of [
      () => {
        throw new Error('broken');
      },
      () => Promise.reject(new Error('broken')),
    ]) {
      const runner = createRunner();
      runner.onError = broken;
      const { tasks, respond } = request(runner);
      const ran: string[] = [];
      tasks.add(() => {
        throw new Error('no');
      });
      tasks.add(() => void ran.push('next'));
      respond();
      await runner.settled();
      expect(ran).toEqual(['next']);
      expect(runner.logged).toEqual(['background task failed', 'the onTaskError handler failed']);
    }
  });

  it('waits for an asynchronous error handler before it is settled', async () => {
    const runner = createRunner();
    let isHandled = false;
    runner.onError = async () => {
      await turn();
      isHandled = true;
    };
    const { tasks, respond } = request(runner);
    tasks.add(() => Promise.reject(new Error('no')));
    respond();
    await runner.settled();
    expect(isHandled).toBe(true);
  });

  it('refuses a payload that does not fit, and keeps nothing of it', () => {
    const runner = createRunner();
    const { tasks } = request(runner);
    const count = defineTask(
      { name: 'count', payload: Type.Object({ n: Type.Integer() }) },
      () => undefined,
    );
    expect(() => tasks.add(count, { n: 1.5 })).toThrow('/n must be integer');
    expect(runner.pending).toBe(0);
  });

  it('is not disturbed by a thenable that misbehaves', async () => {
    const runner = createRunner();
    const { tasks, respond } = request(runner);
    const ran: string[] = [];
    const thenable = {
      // oxlint-disable-next-line unicorn/no-thenable -- the misbehaviour under test
      then: () => {
        throw new Error('no');
      },
    };
    tasks.add(() => thenable);
    tasks.add(() => void ran.push('next'));
    respond();
    await runner.settled();
    expect(ran).toEqual(['next']);
  });
});

describe('held tasks', () => {
  async function held(): Promise<{ runner: TaskRunner; recorder: TaskRecorder; ran: string[] }> {
    const runner = createRunner();
    const recorder = (runner.recorder = new TaskRecorder());
    const ran: string[] = [];
    const note = (word: string): void => void ran.push(word);
    recorder.hold();
    const { tasks, respond } = request(runner);
    tasks.add(note, 'one');
    tasks.add(() => void tasks.add(note, 'nested'));
    respond();
    await turn(); // they would start now
    return { runner, recorder, ran };
  }

  it('are recorded, and do not start before they are released', async () => {
    const { runner, recorder, ran } = await held();
    expect(ran).toEqual([]);
    expect(recorder.added[0]).toMatchObject({ name: 'note', args: ['one'], status: 'waiting' });
    recorder.release();
    await runner.settled();
    expect(ran).toEqual(['one', 'nested']);
    expect(recorder.added.map(({ status }) => status)).toEqual(Array(3).fill('succeeded'));
  });

  it('are discarded when the app closes, which waits for none', async () => {
    const { runner, recorder, ran } = await held();
    expect(await runner.close(60_000)).toEqual([]);
    expect(ran).toEqual([]);
    expect(recorder.added[0]!.status).toBe('discarded');
  });
});
