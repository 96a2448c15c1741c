import { describe, expect, it } from 'vitest';
import { memory } from '../src/testing/memory.ts';
import { testJobs } from '../src/testing/test-jobs.ts';
import { OpenJobs, task } from './support/jobs.ts';

const rig = new OpenJobs();

describe('the inline mode', () => {
  it('has run a job when enqueue() resolves, whatever the concurrency', async () => {
    const log: string[] = [];
    const inner = task('inner', () => void log.push('inner'));
    const outer = task('outer', async () => {
      log.push('outer begins');
      await opened.jobs.enqueue(inner, {});
      log.push('outer ends');
    });
    const driver = memory({ mode: 'inline' });
    const opened = rig.use(
      await testJobs({ driver, tasks: [inner, outer], worker: { concurrency: 1 } }),
    );
    const { id } = await opened.jobs.enqueue(outer, {});
    expect(log).toEqual(['outer begins', 'inner', 'outer ends']);
    expect(await opened.jobs.get(id)).toMatchObject({ state: 'completed' });
  });

  it('runs held jobs when they are released, and later ones in their time', async () => {
    const ran: unknown[] = [];
    const note = task('note', (payload) => void ran.push(payload));
    const { engine, jobs } = rig.use(
      await testJobs({ driver: memory({ mode: 'inline' }), tasks: [note] }),
    );
    const prepared = engine.prepare(note, 'held');
    await engine.store([prepared]);
    expect(ran).toEqual([]);
    await engine.release([prepared]);
    expect(ran).toEqual(['held']);
    const later = await jobs.enqueue(note, 'later', { delay: '20ms' });
    expect(ran).toEqual(['held']);
    expect(await jobs.wait(later.id)).toMatchObject({ state: 'completed' });
  });
});

describe('the held mode', () => {
  it('stores jobs and runs them on drain(), those included that they add', async () => {
    const ran: number[] = [];
    const chain = task('chain', async (n: number) => {
      ran.push(n);
      if (n < 3) await opened.jobs.enqueue(chain, n + 1);
    });
    const driver = memory({ mode: 'held' });
    const opened = rig.use(await testJobs({ driver, tasks: [chain] }));
    const { id } = await opened.jobs.enqueue(chain, 1);
    await new Promise(setImmediate);
    expect(await opened.jobs.get(id)).toMatchObject({ state: 'available', payload: 1 });
    await driver.drain();
    expect(ran).toEqual([1, 2, 3]);
    await opened.jobs.enqueue(chain, 3);
    await new Promise(setImmediate);
    expect(ran).toEqual([1, 2, 3]); // it holds again
  });
});
