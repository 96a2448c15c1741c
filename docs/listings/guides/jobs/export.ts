import { Injectable, Task, type JobContext } from 'thereafter';
import { Jobs } from '@thereafter/queue';
import { Type, type Static } from 'typebox';

const Export = Type.Object({ accountId: Type.Integer(), format: Type.Enum(['csv', 'json']) });
type Export = Static<typeof Export>;

@Task(Export, { durable: true, queue: 'exports', attempts: 8, timeout: '10m' })
export class ExportAccount {
  async run({ accountId, format }: Export, job: JobContext) {
    await job.progress(0.5);
    return { file: `account-${accountId}.${format}` };
  }
}

@Injectable()
export class Exports {
  constructor(private readonly jobs: Jobs) {}

  async begin(accountId: number): Promise<string> {
    const job = await this.jobs.enqueue(ExportAccount, { accountId, format: 'csv' });
    return job.id; // it is stored: kill -9 does not lose it
  }

  async status(id: string) {
    const job = await this.jobs.get(id);
    return job && { state: job.state, progress: job.progress, result: job.result };
  }
}
