import type { Jobs } from '@thereafter/queue';
import { ExportAccount } from '../../guides/jobs/export.ts';

export async function begin(jobs: Jobs): Promise<string> {
  // #region enqueue
  const job = await jobs.enqueue(ExportAccount, { accountId: 7, format: 'csv' }); // resolves when it is stored
  // #endregion
  return job.id;
}
