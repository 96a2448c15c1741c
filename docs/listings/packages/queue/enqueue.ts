import { Jobs } from '@thereafter/queue';
import { Injectable } from 'thereafter';
import { ExportAccount } from '../../guides/jobs/export.ts';

@Injectable()
export class Exports {
  constructor(private readonly jobs: Jobs) {}

  async begin(accountId: number): Promise<string> {
    const job = await this.jobs.enqueue(ExportAccount, { accountId, format: 'csv' });
    return job.id; // resolves when the job is stored
  }
}
