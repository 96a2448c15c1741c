import assert from 'node:assert/strict';
import { memory, testJobs } from '@thereafter/queue/testing';
import { ExportAccount } from './export.ts';

export async function testExport(): Promise<void> {
  // 'inline': enqueue() resolves when the job has ended.
  const driver = memory({ mode: 'inline' });
  await using t = await testJobs({ driver, tasks: [ExportAccount] });

  const { id } = await t.jobs.enqueue(ExportAccount, { accountId: 7, format: 'csv' });

  const job = await t.jobs.get(id);
  assert.equal(job?.state, 'completed');
  assert.deepEqual(job?.result, { file: 'account-7.csv' });
}

export async function testHeld(): Promise<void> {
  // 'held': jobs are stored, and run by drain().
  const driver = memory({ mode: 'held' });
  await using t = await testJobs({ driver, tasks: [ExportAccount] });

  const { id } = await t.jobs.enqueue(ExportAccount, { accountId: 7, format: 'json' });
  const [stored] = await t.jobs.list({ task: 'ExportAccount' });
  assert.deepEqual(stored?.payload, { accountId: 7, format: 'json' });
  assert.equal(stored?.state, 'available');

  await driver.drain();
  assert.equal((await t.jobs.get(id))?.state, 'completed');
}
