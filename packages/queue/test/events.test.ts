import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Snooze } from '../src/errors.ts';
import { JOB_EVENTS, type JobEventMessage } from '../src/events.ts';
import { MemoryStore } from '../src/testing/memory-store.ts';
import { memory } from '../src/testing/memory.ts';
import { testJobs } from '../src/testing/test-jobs.ts';
import { Arrivals, OpenJobs, task } from './support/jobs.ts';

const page = readFileSync(join(import.meta.dirname, '../../../docs/reference/events.md'), 'utf8');
const section = page.slice(page.indexOf('\n# Job events'));

const rig = new OpenJobs();

/** Everything that is published of jobs, until the test ends. */
function listen(): (JobEventMessage & { readonly name: string })[] {
  const heard: (JobEventMessage & { readonly name: string })[] = [];
  for (const name of JOB_EVENTS) {
    const listener = (message: unknown): void =>
      void heard.push({ name, ...(message as JobEventMessage) });
    subscribe(`thereafter:job.${name}`, listener);
    rig.use({ [Symbol.dispose]: () => void unsubscribe(`thereafter:job.${name}`, listener) });
  }
  return heard;
}

describe('the section of job events', () => {
  it('lists the channels that there are, and no others', () => {
    const listed = [...section.matchAll(/^\| `thereafter:job\.(\w+)`/gm)].map(([, name]) => name);
    expect(listed).toEqual([...JOB_EVENTS]);
  });

  it('lists the fields of the message, and no others', async () => {
    const heard = listen();
    const noop = task('noop', () => undefined);
    const { jobs } = rig.use(await testJobs({ tasks: [noop] }));
    await jobs.wait((await jobs.enqueue(noop, {})).id);
    const fields = [...section.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
    expect(heard.map(({ name }) => name)).toEqual(['enqueued', 'started', 'completed']);
    for (const { name: _, ...message } of heard) expect(Object.keys(message)).toEqual(fields);
  });
});

describe('a job event', () => {
  it('is published for every way in which an attempt can end', async () => {
    const heard = listen();
    const begun = new Arrivals();
    let naps = 0;
    const nap = task('nap', () => {
      if ((naps += 1) === 1) throw new Snooze('5ms');
    });
    const fail = task('fail', () => Promise.reject(new Error('no')), {
      attempts: 2,
      backoff: { type: 'fixed', delay: '5ms' },
    });
    const stop = task('stop', async (_, { signal }) => {
      begun.add(0);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    });
    const opened = rig.use(await testJobs({ driver: memory(), tasks: [nap, fail, stop] }));
    const { jobs } = opened;
    const names = (id: string): string[] =>
      heard.filter(({ jobId }) => jobId === id).map(({ name, attempt }) => `${name} ${attempt}`);

    const napping = await jobs.wait((await jobs.enqueue(nap, {})).id);
    expect(names(napping.id)).toEqual([
      'enqueued 0',
      'started 1',
      'snoozed 1',
      'started 1',
      'completed 1',
    ]);
    const failing = await jobs.wait((await jobs.enqueue(fail, {})).id);
    expect(names(failing.id)).toEqual([
      'enqueued 0',
      'started 1',
      'retrying 1',
      'started 2',
      'failed 2',
    ]);
    const retrying = heard.find(({ name }) => name === 'retrying');
    expect(retrying).toMatchObject({
      delayMs: 5,
      error: new Error('no'),
      taskName: 'fail',
      queue: 'default',
    });
    expect(retrying!.waitedMs).toBeGreaterThanOrEqual(0);
    expect(retrying!.elapsedMs).toBeGreaterThanOrEqual(0);

    const stopped = await jobs.enqueue(stop, {});
    await begun.reach(1);
    await jobs.cancel(stopped.id);
    await jobs.wait(stopped.id);
    expect(names(stopped.id)).toEqual(['enqueued 0', 'started 1', 'cancelled 1']);

    const left = await jobs.enqueue(stop, {});
    await begun.reach(2);
    await opened.close(0);
    await new Promise(setImmediate);
    expect(names(left.id)).toEqual(['enqueued 0', 'started 1', 'handedBack 1']);
    expect(heard.at(-1)!.error).toMatchObject({ code: 'JOB_HANDED_BACK' });
  });

  it('is published when the store has what it tells', async () => {
    const store = new MemoryStore();
    const stored: string[] = [];
    for (const name of ['completed', 'retrying', 'failed'] as const) {
      const listener = (message: unknown): void =>
        void stored.push(`${name}: ${store.rows.get((message as JobEventMessage).jobId)?.state}`);
      subscribe(`thereafter:job.${name}`, listener);
      rig.use({ [Symbol.dispose]: () => void unsubscribe(`thereafter:job.${name}`, listener) });
    }
    const good = task('good', () => undefined);
    const bad = task('bad', () => Promise.reject(new Error('no')), {
      attempts: 2,
      backoff: { type: 'fixed', delay: '5ms' },
    });
    const { jobs } = await rig.open([good, bad], { store });
    await jobs.wait((await jobs.enqueue(good, {})).id);
    await jobs.wait((await jobs.enqueue(bad, {})).id);
    expect(stored).toEqual(['completed: completed', 'retrying: scheduled', 'failed: failed']);
  });
});
