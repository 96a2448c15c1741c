import {
  BackgroundTasks,
  Body,
  Controller,
  createApp,
  defineTask,
  HttpReply,
  type JobContext,
  NotFound,
  Path,
  Post,
  Get,
  Task,
} from 'thereafter';
import { Jobs, jobs } from '@thereafter/queue';
import { sqlite } from '@thereafter/queue/sqlite';
import { bullmq } from '@thereafter/queue-redis';
import { Type, type Static } from 'typebox';
import { UserRepo } from './users.js';

const Export = Type.Object({ accountId: Type.Integer(), format: Type.Enum(['csv', 'json']) });
type Export = Static<typeof Export>;

@Task(Export, {
  durable: true,
  queue: 'exports',
  attempts: 8,
  backoff: 'exponential',
  priority: 5,
  unique: (e) => `export:${e.accountId}`,
})
export class ExportAccount {
  async run(e: Export, job: JobContext) {
    await job.progress(0.5);
    return { rows: e.accountId };
  }
}

// The same thing as a function; payload, job and what it asks for are inferred.
export const nightlyCleanup = defineTask(
  {
    name: 'nightly-cleanup',
    payload: Type.Object({}),
    in: { users: UserRepo },
    durable: true,
    cron: '0 3 * * *',
    timeZone: 'Europe/Berlin',
  },
  async ({ users, job }) => {
    job.log.info(`${(await users.list({ limit: 100 })).length} users`);
  },
);

@Controller('/exports')
export class ExportsController {
  constructor(private jobs: Jobs) {}

  @Post('/', { status: 202 })
  async start(@Body(Export) body: Export) {
    const job = await this.jobs.enqueue(ExportAccount, body, { delay: '5s' }); // resolves when it is stored
    return new HttpReply({ job: job.id }, { headers: { location: `/exports/${job.id}` } });
  }

  @Post('/later', { status: 202 })
  later(@Body(Export) body: Export, tasks: BackgroundTasks) {
    return { job: tasks.add(ExportAccount, body).id }; // durable: stored before this response is written
  }

  @Get('/:id')
  async status(@Path('id', Type.String()) id: string) {
    const job = await this.jobs.get(id);
    if (!job) throw new NotFound(`no job ${id}`);
    return { state: job.state, progress: job.progress, result: job.result };
  }
}

const redis = process.env['REDIS_URL'];
export const app = createApp({
  jobs: jobs({ driver: redis ? bullmq({ url: redis }) : sqlite({ file: 'data/jobs.db' }) }),
}).include(ExportsController, ExportAccount);
