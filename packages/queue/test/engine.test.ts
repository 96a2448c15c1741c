import { AsyncLocalStorage } from 'node:async_hooks';
import { createContainer, dependency } from '@thereafter/di';
import { defineTask, taskSignal, type Logger, type TaskOptions } from '@thereafter/tasks';
import { Type } from 'typebox';
import { describe, expect, it } from 'vitest';
import { Engine } from '../src/engine.ts';
import type { JobSpan } from '../src/events.ts';
import { faulty } from '../src/testing/faults.ts';
import { ManualClock } from '../src/testing/manual-clock.ts';
import { MemoryStore } from '../src/testing/memory-store.ts';
import { memory } from '../src/testing/memory.ts';
import { testJobs } from '../src/testing/test-jobs.ts';
import { Arrivals, newJob, OpenJobs, task, until, type AnyTask } from './support/jobs.ts';

const rig = new OpenJobs();
const noop = task('noop', () => undefined);

/** A log that keeps what it is told. */
function record(): Logger & {
  readonly lines: { readonly fields: object; readonly message: string }[];
} {
  const lines: { fields: object; message: string }[] = [];
  const note = (fields: object | string, message = ''): void =>
    void lines.push(
      typeof fields === 'string' ? { fields: {}, message: fields } : { fields, message },
    );
  return { lines, info: note, error: note };
}

describe('including tasks', () => {
  const include = (...tasks: AnyTask[]): void => {
    const engine = new Engine({ driver: memory() });
    const container = createContainer();
    for (const each of tasks) engine.include(each, container);
  };

  it('refuses two tasks of one name, aliases included', () => {
    expect(() => include(noop, noop)).not.toThrow(); // the same one
    expect(() =>
      include(
        noop,
        task('noop', () => 1),
      ),
    ).toThrow(expect.objectContaining({ code: 'JOB_TASK_NAME_TAKEN' }));
    expect(() =>
      include(
        noop,
        task('new', () => 1, { aliases: ['noop'] }),
      ),
    ).toThrow('Two tasks are named noop');
  });

  it.each([
    [{ attempts: 0 }, 'attempts'],
    [{ attempts: 1.5 }, 'attempts'],
    [{ priority: 10 }, 'priority'],
    [{ uniqueFor: 'long' as '1s' }, 'duration'],
    [{ backoff: { type: 'fixed', delay: '1s', jitter: 2 } }, 'jitter'],
  ] satisfies [TaskOptions, string][])('refuses the options %o', (options, complaint) => {
    expect(() => include(task('t', () => 1, options))).toThrow(complaint);
  });

  it('refuses what is no task', () => {
    class Plain {
      run(): void {}
    }
    const engine = new Engine({ driver: memory() });
    expect(() => engine.include(Plain, createContainer())).toThrow('Plain is not a task');
  });

  it('runs jobs that were stored under a former name', async () => {
    const store = new MemoryStore();
    const before = await rig.open([task('send', () => 'old')], { store, worker: false });
    const [stored] = await before.driver.enqueue([newJob('1', { task: 'send' })]);
    await before.close();
    const renamed = task('send-mail', () => 'new', { aliases: ['send'] });
    const { jobs } = await rig.open([renamed], { store });
    expect(await jobs.wait(stored!.id)).toMatchObject({ task: 'send', result: 'new' });
  });

  it('refuses schedules that cannot work, before the store is opened', async () => {
    const needy = defineTask(
      { name: 'needy', payload: Type.Object({ to: Type.String() }), cron: '0 3 * * *' },
      () => undefined,
    );
    const { driver, operations } = faulty(memory(), Infinity);
    await expect(testJobs({ driver, tasks: [needy] })).rejects.toMatchObject({
      code: 'JOB_SCHEDULE_INVALID',
    });
    const wrong = task('wrong', () => 1, { cron: 'at noon' });
    await expect(testJobs({ driver, tasks: [wrong] })).rejects.toThrow("cron 'at noon'");
    expect(operations).toEqual([]);
  });
});

describe('enqueueing', () => {
  it('is refused before the start', async () => {
    const engine = new Engine({ driver: memory() });
    const container = createContainer();
    engine.register(container);
    engine.include(noop, container);
    await container.start();
    await expect(engine.store([engine.prepare(noop, {})])).rejects.toMatchObject({
      code: 'JOBS_NOT_STARTED',
    });
    await engine.release([engine.prepare(noop, {})]); // and this does not reject
  });

  it('checks its options and the payload against the schema', async () => {
    const strict = defineTask(
      { name: 'strict', payload: Type.Object({ n: Type.Integer() }) },
      () => 1,
    );
    const { jobs } = await testJobs({ tasks: [strict, noop], worker: false });
    // @ts-expect-error -- the payload is that of the task
    await expect(jobs.enqueue(strict, { n: 'one' })).rejects.toMatchObject({
      code: 'TASK_PAYLOAD',
    });
    await expect(jobs.enqueue(strict, { n: 1.5 })).rejects.toMatchObject({ code: 'TASK_PAYLOAD' });
    await expect(jobs.enqueue(noop, {}, { priority: 11 })).rejects.toThrow('0 to 9');
    await expect(jobs.enqueue(noop, {}, { delay: '1s', runAt: new Date() })).rejects.toThrow(
      'not both',
    );
    await expect(jobs.enqueue(noop, {}, { runAt: new Date(NaN) })).rejects.toThrow(
      'not a valid date',
    );
    expect((await jobs.enqueue(noop, {}, { runAt: new Date(0) })).state).toBe('available');
  });

  it('says what the store said when it takes nothing', async () => {
    const full = new Error('disk full');
    for (const call of ['enqueue', 'enqueueMany'] as const) {
      const { driver } = faulty(memory(), 2, full); // 1 is start
      const { jobs } = rig.use(await testJobs({ driver, tasks: [noop], worker: false }));
      const stored = call === 'enqueue' ? jobs.enqueue(noop, {}) : jobs.enqueueMany(noop, [{}, {}]);
      await expect(stored).rejects.toMatchObject({
        code: 'JOBS_NOT_STORED',
        cause: full,
        retryAfterSeconds: 1,
        message: expect.stringContaining('disk full') as string,
      });
      expect((await jobs.counts()).available).toBe(0);
    }
  });

  it('keeps the keys of two tasks apart', async () => {
    const other = task('other', () => undefined);
    const { jobs } = await rig.open([noop, other], { worker: false });
    const [a, b] = [
      await jobs.enqueue(noop, {}, { unique: 'k' }),
      await jobs.enqueue(other, {}, { unique: 'k' }),
    ];
    expect(a.id).not.toBe(b.id);
  });
});

describe('starting', () => {
  it('leaves nothing open, whichever operation of the store fails', async () => {
    const tick = task('tick', () => 1, { cron: '0 3 * * *' });
    const store = new MemoryStore();
    let failures = 0;
    for (let failAt = 1; ; failAt++) {
      const { driver } = faulty(memory({ store }), failAt);
      const opened = await testJobs({ driver, tasks: [tick] }).catch(() => undefined);
      if (!opened) {
        failures += 1;
        continue;
      }
      await opened.close();
      if (failAt > 4 + failures) break; // start, schedules, putSchedule, and those of the first tick
    }
    expect(failures).toBe(3);
    expect([...store.schedules.keys()]).toEqual(['tick']);
    expect(store.wakers.size).toBe(0);
  });

  it('runs nothing with worker: false, unless the process is a worker', async () => {
    for (const [isWorker, state] of [
      [false, 'available'],
      [true, 'completed'],
    ] as const) {
      const driver = memory();
      const engine = new Engine({ driver, worker: false });
      const container = createContainer();
      engine.include(noop, container);
      await container.start();
      await engine.start({ container, log: record(), isWorker });
      await driver.enqueue([newJob('1')]);
      await until(
        () => driver.get('1'),
        (job) => job.state === state,
      );
      expect((await driver.queues()).includes('default')).toBe(true);
      await engine.close(0);
    }
  });

  it('refuses a concurrency that is none', () => {
    expect(() => new Engine({ driver: memory(), worker: { concurrency: 0 } })).toThrow(
      'concurrency',
    );
  });
});

describe('running', () => {
  it('fails a job whose stored payload no longer fits, without running it', async () => {
    const ran: unknown[] = [];
    const strict = defineTask(
      { name: 'strict', payload: Type.Object({ n: Type.Integer() }) },
      ({ payload }) => void ran.push(payload),
    );
    const { jobs, driver } = await rig.open([strict as AnyTask]);
    await driver.enqueue([newJob('1', { task: 'strict', payload: '{"n":"one"}' })]);
    const job = await jobs.wait('1');
    expect(job).toMatchObject({ state: 'failed', attempt: 1 });
    expect(job.error).toMatchObject({ name: 'StoredPayloadError' });
    expect(job.error?.message).toContain('/n must be integer');
    expect(ran).toEqual([]);
  });

  it('postpones a job of a task that it does not know, for a process that does', async () => {
    const log = record();
    const store = new MemoryStore();
    const driver = memory({ store });
    const first = rig.use(await testJobs({ driver, tasks: [noop], log }));
    await driver.enqueue([newJob('1', { task: 'newer' })]);
    const job = await until(
      () => first.jobs.get('1'),
      ({ state, runAt, enqueuedAt }) => state === 'scheduled' && runAt > enqueuedAt,
    );
    expect(job).toMatchObject({ attempt: 0, errors: [] });
    expect(log.lines[0]!.message).toContain('not included');
    await first.close();
    const second = rig.use(
      await testJobs({ driver: memory({ store }), tasks: [task('newer', () => 'known')] }),
    );
    expect(await second.jobs.wait('1')).toMatchObject({ state: 'completed', result: 'known' });
  });

  it('shows a job none of the async-local values of who enqueued it', async () => {
    const user = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const look = task('look', () => void seen.push(user.getStore()));
    const { jobs } = await rig.open([look]);
    const { id } = await user.run('ada', () => jobs.enqueue(look, {}));
    await jobs.wait(id);
    expect(seen).toEqual([undefined]);
  });

  it('gives functions that a job calls its signal', async () => {
    const begun = new Arrivals();
    const deep = async (): Promise<void> => {
      const signal = taskSignal();
      begun.add(0);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    };
    const outer = task('outer', deep);
    const { jobs } = await rig.open([outer]);
    const { id } = await jobs.enqueue(outer, {});
    await begun.reach(1);
    await jobs.cancel(id);
    expect(await jobs.wait(id)).toMatchObject({ state: 'cancelled' });
  });

  it('logs with the fields of the job', async () => {
    const log = record();
    const talk = task('talk', (_, job) => {
      job.log.info('hello');
      job.log.error({ code: 7 }, 'bye');
    });
    const { jobs } = rig.use(await testJobs({ tasks: [talk], log }));
    const { id } = await jobs.enqueue(talk, {});
    await jobs.wait(id);
    const own = { jobId: id, taskName: 'talk', attempt: 1 };
    expect(log.lines).toEqual([
      { fields: own, message: 'hello' },
      { fields: { ...own, code: 7 }, message: 'bye' },
    ]);
  });

  it('survives a backoff, a predicate and a progress that are broken', async () => {
    const fail = (): never => {
      throw new Error('first');
    };
    const backoff = task('backoff', fail, { backoff: () => 'soon' as '1s' });
    const predicate = task('predicate', fail, {
      attempts: 2,
      backoff: { type: 'fixed', delay: '1ms' },
      retryable: () => {
        throw new Error('broken');
      },
    });
    const progress = task('progress', (_, job) => job.progress(2), { attempts: 1 });
    const { jobs } = await rig.open([backoff, predicate, progress]);
    const [a, b, c] = [
      await jobs.wait((await jobs.enqueue(backoff, {})).id),
      await jobs.wait((await jobs.enqueue(predicate, {})).id),
      await jobs.wait((await jobs.enqueue(progress, {})).id),
    ];
    expect(a).toMatchObject({ state: 'failed', attempt: 1 });
    expect(a.error?.message).toContain('not a duration');
    expect(b).toMatchObject({ state: 'failed', attempt: 2 });
    expect(c.error?.message).toContain('from 0 to 1');
  });

  it('survives tracing that is broken', async () => {
    const broken = (): never => {
      throw new Error('no exporter');
    };
    let runs = 0;
    const count = task('count', () => void (runs += 1));
    const started: (() => JobSpan)[] = [broken, () => ({ run: (call) => call(), end: broken })];
    for (const start of started) {
      const { jobs } = await rig.open([count], { tracing: { current: () => undefined, start } });
      const { id } = await jobs.enqueue(count, {});
      expect(await jobs.wait(id)).toMatchObject({
        state: 'completed',
        attempt: 1,
      });
    }
    expect(runs).toBe(2);
  });

  it('keeps what was thrown, whatever it was, and cuts what is long', async () => {
    let names = 0;
    const throwing = (value: unknown): AnyTask =>
      task(`throwing ${(names += 1)}`, () => Promise.reject(value as Error), { attempts: 1 });
    class Unreadable extends Error {
      override get message(): string {
        throw new Error('not for you');
      }
    }
    const tasks = [
      throwing('text'),
      throwing(undefined),
      throwing({}),
      throwing(new Error('x'.repeat(9000))),
      throwing(new Unreadable()),
    ];
    const { jobs } = await rig.open(tasks);
    const messages: (string | undefined)[] = [];
    for (const each of tasks) {
      messages.push((await jobs.wait((await jobs.enqueue(each, {})).id)).error?.message);
    }
    expect(messages.slice(0, 3)).toEqual([
      'It threw text',
      'It threw undefined',
      'It threw an object',
    ]);
    expect(messages[3]).toHaveLength(2001);
    expect(messages[4]).toBe('It threw something that cannot be read');
  });

  it('fails a job whose scope cannot be closed: its commit may be what failed', async () => {
    const transaction = dependency({}, function* () {
      yield {};
      throw new Error('commit failed');
    });
    const save = defineTask(
      { name: 'save', payload: {}, in: { transaction }, attempts: 1 },
      () => 'saved',
    );
    const { jobs } = await rig.open([save as AnyTask]);
    const job = await jobs.wait((await jobs.enqueue(save, {})).id);
    expect(job).toMatchObject({
      state: 'failed',
      result: null,
      error: { message: 'commit failed' },
    });
  });
});

describe('a job whose worker is lost', () => {
  it('runs again, and counts the attempt', async () => {
    const store = new MemoryStore();
    const begun = new Arrivals<number>();
    const hang = task('hang', (_, { attempt }) => {
      begun.add(attempt);
      return attempt === 1 ? new Promise(() => undefined) : 'second';
    });
    const driver = memory({ store });
    const first = await testJobs({ driver, tasks: [hang] });
    const { id } = await first.jobs.enqueue(hang, {});
    await begun.reach(1);
    driver.kill();
    const { jobs } = await rig.open([hang], { store });
    expect(await jobs.wait(id)).toMatchObject({ state: 'completed', attempt: 2, result: 'second' });
  });

  it('is not told to have ended by the worker that was taken for lost', async () => {
    const store = new MemoryStore();
    const begun = new Arrivals<number>();
    const gate = Promise.withResolvers<string>();
    const slow = task('slow', (_, { attempt }) => {
      begun.add(attempt);
      return attempt === 1 ? gate.promise : 'second';
    });
    const log = record();
    const driver = memory({ store });
    const first = await testJobs({ driver, tasks: [slow], log });
    const { id } = await first.jobs.enqueue(slow, {});
    await begun.reach(1);
    driver.kill();
    const { jobs } = await rig.open([slow], { store });
    await jobs.wait(id);
    gate.resolve('first');
    await until(
      async () => log.lines.length,
      (count) => count === 1,
    );
    expect(log.lines[0]).toMatchObject({
      message: expect.stringContaining('this end does not count') as string,
      fields: { jobId: id, attempt: 1 },
    });
    expect(await jobs.get(id)).toMatchObject({ result: 'second' });
  });

  it('is given up after three times, whatever its attempts', async () => {
    const store = new MemoryStore();
    const begun = new Arrivals();
    const hang = task('hang', () => (begun.add(0), new Promise(() => undefined)), { attempts: 20 });
    let id = '';
    for (let round = 1; round <= 3; round++) {
      const driver = memory({ store });
      const { jobs } = await testJobs({ driver, tasks: [hang] });
      if (round === 1) ({ id } = await jobs.enqueue(hang, {}));
      await begun.reach(round);
      driver.kill();
    }
    const { jobs } = await rig.open([hang], { store });
    const job = await jobs.wait(id);
    expect(job).toMatchObject({ state: 'failed', error: { name: 'WorkerLostError' } });
    expect(begun.all).toHaveLength(3);
  });

  it('runs apart from others of its kind, which wait without losing an attempt', async () => {
    const store = new MemoryStore();
    let running = 0;
    let most = 0;
    const begun = new Arrivals();
    const step = task('step', async (_, { attempt }) => {
      begun.add(0);
      if (attempt === 1) return await new Promise(() => undefined);
      most = Math.max(most, (running += 1));
      await new Promise(setImmediate); // another would start now
      running -= 1;
      return attempt;
    });
    const driver = memory({ store });
    const first = await testJobs({ driver, tasks: [step] });
    const all = await first.jobs.enqueueMany(step, [1, 2, 3, 4, 5]);
    await begun.reach(5);
    driver.kill();
    const { jobs } = await rig.open([step], { store });
    for (const { id } of all) {
      expect(await jobs.wait(id)).toMatchObject({ state: 'completed', result: 2 });
    }
    expect(most).toBe(1);
  });
});

describe('a schedule', () => {
  it('tries a tick again that could not be stored, and loses none', async () => {
    const clock = new ManualClock(Date.parse('2026-01-01T00:30:00Z'));
    const ticks = new Arrivals<Date>();
    const tick = task('tick', (_, job) => ticks.add(job.scheduledFor!), { cron: '0 * * * *' });
    const log = record();
    // start, schedules, putSchedule, schedules of the first look, schedules of the tick, enqueue
    const { driver, operations } = faulty(memory(), 6);
    rig.use(await testJobs({ driver, tasks: [tick], clock, log }));
    clock.advance(1_800_000);
    await until(
      async () => operations.length,
      (count) => count >= 6,
    );
    await until(
      async () => log.lines.length,
      (count) => count === 1,
    );
    expect(operations[5]).toBe('enqueue');
    expect(ticks.all).toEqual([]);
    clock.advance(1000);
    expect(await ticks.reach(1)).toEqual([new Date('2026-01-01T01:00:00Z')]);
  });

  it('rests in a process whose program is older than the stored one', async () => {
    const clock = new ManualClock(Date.parse('2026-01-01T00:30:00Z'));
    const store = new MemoryStore();
    const ran: string[] = [];
    const version = (name: string, cron: string): AnyTask =>
      task('tick', (_, job) => void ran.push(`${name} ${job.scheduledFor!.toISOString()}`), {
        cron,
      });
    const log = record();
    const old = rig.use(
      await testJobs({
        driver: memory({ store }),
        tasks: [version('any', '0 * * * *')],
        clock,
        log,
      }),
    );
    rig.use(
      await testJobs({ driver: memory({ store }), tasks: [version('any', '15 * * * *')], clock }),
    );
    clock.advance(3_600_000);
    await until(
      async () => ran.length,
      (count) => count === 1,
    );
    expect(ran).toEqual(['any 2026-01-01T01:15:00.000Z']);
    expect(log.lines.at(-1)!.message).toContain('changed by another version');
    await old.close();
  });

  it('is listed with its next run, in its time zone', async () => {
    const clock = new ManualClock(Date.parse('2026-07-01T00:30:00Z'));
    const nightly = task('nightly', () => 1, { cron: '0 3 * * *', timeZone: 'Europe/Berlin' });
    const hourly = task('hourly', () => 1, { cron: '0 * * * *' });
    const { jobs } = rig.use(await testJobs({ tasks: [nightly, hourly], clock }));
    const nextRunAt = new Date('2026-07-01T01:00:00Z');
    expect(await jobs.schedules()).toEqual([
      { task: 'hourly', cron: '0 * * * *', timeZone: 'UTC', nextRunAt },
      { task: 'nightly', cron: '0 3 * * *', timeZone: 'Europe/Berlin', nextRunAt },
    ]);
  });
});
