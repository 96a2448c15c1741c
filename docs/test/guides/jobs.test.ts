import { ManualClock, memory, testJobs, type TestJobsOptions } from '@thereafter/queue/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { stopHalfway, encode } from '../../listings/guides/jobs/cancel.ts';
import { planReminders, remind } from '../../listings/guides/jobs/enqueue.ts';
import { ExportAccount, Exports } from '../../listings/guides/jobs/export.ts';
import { bank, charge } from '../../listings/guides/jobs/retries.ts';
import { nightlyReport, runs } from '../../listings/guides/jobs/schedule.ts';
import { testExport, testHeld } from '../../listings/guides/jobs/testing.ts';
import { indexed, ReindexShop } from '../../listings/guides/jobs/unique.ts';

let opened = new AsyncDisposableStack();
afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

const open = async (options: TestJobsOptions) => opened.use(await testJobs(options));

describe('the guide to jobs', () => {
  it('is right about a first job', async () => {
    const { container, jobs } = await open({
      tasks: [ExportAccount],
      setup: (c) => void c.plan([{ key: Exports }], { name: 'the test' }),
    });
    const exports = container.get(Exports);
    const id = await exports.begin(7);
    await jobs.wait(id);
    expect(await exports.status(id)).toEqual({
      state: 'completed',
      progress: 0.5,
      result: { file: 'account-7.csv' },
    });
    expect(await exports.status('another')).toBeUndefined();
  });

  it('is right about enqueueing', async () => {
    const { jobs } = await open({ tasks: [remind], worker: false });
    const states = ['scheduled', 'scheduled', 'available', 'available', 'available'];
    expect(await planReminders(jobs)).toEqual(states);
  });

  it('is right about retries', async () => {
    const { jobs } = await open({ tasks: [charge] });
    const pay = async (...answers: string[]) => {
      bank.answers = answers;
      return await jobs.wait((await jobs.enqueue(charge, { orderId: '17' })).id);
    };
    const paid = await pay('down', 'busy', 'closed', 'closed');
    expect(paid).toMatchObject({ state: 'completed', attempt: 3, result: '17 is paid' });
    expect(await pay('stolen')).toMatchObject({ state: 'failed', attempt: 1 });
    expect(await pay('down', 'down', 'down', 'down')).toMatchObject({
      state: 'failed',
      attempt: 4,
    });
  });

  it('is right about unique keys', async () => {
    const driver = memory({ mode: 'held' });
    const { jobs } = await open({ tasks: [ReindexShop], driver });
    const [a, b, c] = await jobs.enqueueMany(ReindexShop, [
      { shopId: 1 },
      { shopId: 1 },
      { shopId: 2 },
    ]);
    expect([b!.id === a!.id, c!.id === a!.id]).toEqual([true, false]);
    await driver.drain();
    expect(indexed).toEqual([1, 2]);
  });

  it('is right about schedules', async () => {
    const clock = new ManualClock(Date.parse('2026-07-01T00:30:00Z'));
    const { jobs } = await open({ tasks: [nightlyReport], clock });
    clock.advance(3_600_000);
    while (runs.length === 0) await new Promise(setImmediate);
    expect(runs).toEqual([new Date('2026-07-01T01:00:00Z')]);
    await jobs.wait(`nightly-report@${runs[0]!.getTime()}`);
  });

  it('is right about cancelling', async () => {
    const { jobs } = await open({ tasks: [encode] });
    expect(await stopHalfway(jobs)).toBe('cancelled');
  });

  it('is right about testing', async () => {
    // They assert by themselves, as a reader would.
    await expect(testExport()).resolves.toBeUndefined();
    await expect(testHeld()).resolves.toBeUndefined();
  });
});
