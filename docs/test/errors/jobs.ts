import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { Jobs, jobs, NotRetryable, Snooze, type JobEventName } from '@thereafter/queue';
import { bullmq } from '@thereafter/queue-redis';
import { memory, MemoryStore, testJobs } from '@thereafter/queue/testing';
import { createApp, defineTask, dependency, type JobContext, type Runnable } from 'thereafter';
import { Type } from 'typebox';
import { faultOf, listen, thrownBy, type Programs } from './programs.ts';
import { QUIET } from '../support/quiet.ts';

const Empty = Type.Object({});

const keep = defineTask(
  { name: 'keep', payload: Type.Object({ value: Type.Any() }), durable: true },
  () => undefined,
);

const send = defineTask({ name: 'send', payload: Empty, durable: true }, () => undefined);

/** The error of the first event of a name while something goes on. */
async function publishedBy(event: JobEventName, run: () => Promise<unknown>): Promise<unknown> {
  const events = channel(`thereafter:job.${event}`);
  const heard = Promise.withResolvers<unknown>();
  const listener = (message: unknown): void => heard.resolve((message as { error: unknown }).error);
  events.subscribe(listener);
  try {
    await run();
    return await heard.promise;
  } finally {
    events.unsubscribe(listener);
  }
}

/** What a job fails with. */
async function failureOf(run: (job: JobContext) => unknown, timeout?: '1ms'): Promise<unknown> {
  const task = defineTask(
    { name: 'fail', payload: Empty, durable: true, attempts: 1, ...(timeout && { timeout }) },
    ({ job }) => run(job),
  );
  return await publishedBy('failed', async () => {
    await using t = await testJobs({ tasks: [task] });
    await t.jobs.wait((await t.jobs.enqueue(task, {})).id);
  });
}

/** What `Jobs` refuses. */
async function refusalOf(ask: (jobs: Jobs) => unknown): Promise<unknown> {
  await using t = await testJobs({ tasks: [keep, send], driver: memory({ mode: 'held' }) });
  return await thrownBy(() => ask(t.jobs));
}

/** Why the signal of a job aborts. */
async function reasonOf(stop: (t: Awaited<ReturnType<typeof testJobs>>, id: string) => unknown) {
  const begun = Promise.withResolvers<AbortSignal>();
  const wait = defineTask({ name: 'wait', payload: Empty, durable: true }, async ({ job }) => {
    begun.resolve(job.signal);
    await once(job.signal, 'abort');
    throw job.signal.reason as Error;
  });
  await using t = await testJobs({ tasks: [wait] });
  const { id } = await t.jobs.enqueue(wait, {});
  const signal = await begun.promise;
  await stop(t, id);
  return signal.reason;
}

const appWith = (...tasks: Runnable[]) =>
  createApp({ ...QUIET, jobs: jobs({ driver: memory() }) }).include(...tasks);

export const jobCodes: Programs = {
  async JOBS_CLOSED() {
    const t = await testJobs({ tasks: [send] });
    await t.close();
    return await thrownBy(() => t.jobs.enqueue(send, {}));
  },

  async JOBS_NOT_STARTED() {
    const early = dependency({ all: Jobs }, ({ all }) => thrownBy(() => all.get('1')), {
      scope: 'singleton',
    });
    let refusal: unknown;
    await using app = appWith(send).get('/', { in: { early } }, (values) => {
      refusal = values.early;
    });
    await fetch(await listen(app));
    return refusal;
  },

  async JOBS_REDIS_UNAVAILABLE() {
    const url = 'redis://127.0.0.1:1';
    return await thrownBy(() =>
      listen(createApp({ ...QUIET, jobs: jobs({ driver: bullmq({ url }) }) }).include(send)),
    );
  },

  async JOBS_UNSUPPORTED() {
    const driver = Object.assign(memory(), { pause: undefined });
    await using t = await testJobs({ tasks: [send], driver: driver as never });
    return await thrownBy(() => t.jobs.pause('default'));
  },

  JOB_CANCELLED: () => reasonOf((t, id) => t.jobs.cancel(id)),

  JOB_HANDED_BACK: () => reasonOf((t) => t.close(0)),

  JOB_NOT_RETRYABLE: () =>
    failureOf(() => {
      throw new NotRetryable('the card was stolen');
    }),

  JOB_PAYLOAD_NOT_JSON: () => refusalOf((all) => all.enqueue(keep, { value: new Date() })),

  async JOB_PAYLOAD_OUTDATED() {
    const store = new MemoryStore();
    const old = defineTask({ name: 'send', payload: Type.Object({ to: Type.String() }) }, () => 1);
    const now = defineTask({ name: 'send', payload: Type.Object({ to: Type.Integer() }) }, () => 1);
    await using before = await testJobs({ tasks: [old], driver: memory({ store, mode: 'held' }) });
    const { id } = await before.jobs.enqueue(old, { to: 'ada' });
    return await publishedBy('failed', async () => {
      await using t = await testJobs({ tasks: [now], driver: memory({ store }) });
      await t.jobs.wait(id);
    });
  },

  JOB_PAYLOAD_TOO_LARGE: () =>
    refusalOf((all) => all.enqueue(keep, { value: 'x'.repeat(300 * 1024) })),

  JOB_RESULT_NOT_JSON: () => failureOf(() => new Date()),

  JOB_RESULT_TOO_LARGE: () => failureOf(() => 'x'.repeat(300 * 1024)),

  JOB_SCHEDULE_INVALID: () =>
    thrownBy(() =>
      listen(
        appWith(
          defineTask(
            { name: 'tick', payload: Empty, durable: true, cron: 'now and then' },
            () => 1,
          ),
        ),
      ),
    ),

  async JOB_SNOOZED() {
    const seen = Promise.withResolvers<unknown>();
    const noted = dependency(
      {},
      function* () {
        try {
          yield 'open';
        } catch (error) {
          seen.resolve(error);
        }
      },
      { name: 'noted' },
    );
    const doze = defineTask({ name: 'doze', payload: Empty, durable: true, in: { noted } }, () => {
      throw new Snooze('1h');
    });
    await using t = await testJobs({ tasks: [doze] });
    await t.jobs.enqueue(doze, {});
    return await seen.promise;
  },

  JOB_TASK_NAME_TAKEN: () =>
    faultOf(
      appWith(
        send,
        defineTask({ name: 'send', payload: Empty }, () => undefined),
      ),
    ),

  JOB_TASK_NOT_INCLUDED: () =>
    refusalOf((all) =>
      all.enqueue(
        defineTask({ name: 'other', payload: Empty }, () => undefined),
        {},
      ),
    ),

  JOB_TIMEOUT: () => failureOf(() => new Promise(() => undefined), '1ms'),

  JOB_UNKNOWN: () => refusalOf((all) => all.wait('nobody')),

  JOB_WAIT_TIMEOUT: () =>
    refusalOf(async (all) => all.wait((await all.enqueue(send, {})).id, { timeout: '1ms' })),

  async JOB_WORKER_LOST() {
    const store = new MemoryStore();
    let begun = Promise.withResolvers<void>();
    const hang = defineTask({ name: 'hang', payload: Empty, durable: true, attempts: 20 }, () => {
      begun.resolve();
      return new Promise(() => undefined);
    });
    let id: string | undefined;
    for (let round = 1; round <= 3; round++) {
      begun = Promise.withResolvers();
      const driver = memory({ store });
      const t = await testJobs({ tasks: [hang], driver });
      id ??= (await t.jobs.enqueue(hang, {})).id;
      await begun.promise;
      driver.kill();
    }
    return await publishedBy('failed', async () => {
      await using t = await testJobs({ tasks: [hang], driver: memory({ store }) });
      await t.jobs.wait(id!);
    });
  },
};
