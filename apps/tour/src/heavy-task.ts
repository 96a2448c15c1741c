import { Jobs } from '@thereafter/queue';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BackgroundTasks,
  Body,
  Controller,
  Get,
  Inject,
  NotFound,
  Path,
  Post,
  Task,
  type JobContext,
} from 'thereafter';
import { Type, type Static } from 'typebox';
import { LogFile } from './log-file.ts';
import { Settings } from './settings.ts';

const Data = Type.Record(Type.String(), Type.Unknown());
type Data = Static<typeof Data>;

const STEPS = 20;

/** Work that must not be lost: it is stored before the answer, and runs again if its process dies. */
@Task(Data, { durable: true, name: 'heavy-task', attempts: 10, backoff: 'exponential' })
export class HeavyTask {
  constructor(
    @Inject(Settings) private readonly settings: Settings,
    private readonly log: LogFile,
  ) {}

  async run(_data: Data, job: JobContext) {
    for (let step = 1; step <= STEPS; step++) {
      await delay(this.settings.DURATION_MS / STEPS, undefined, { signal: job.signal });
      await job.progress(step / STEPS);
    }
    await this.log.append(`heavy task ${job.id} completed`);
    return { status: 'completed' };
  }
}

/** A durable job, for what takes long or must be done: its state can be asked for, after a restart too. */
@Controller('/')
export class HeavyTaskController {
  constructor(private readonly jobs: Jobs) {}

  @Post('/heavy-task/')
  submit(@Body(Data) data: Data, tasks: BackgroundTasks) {
    const { id } = tasks.add(HeavyTask, data);
    return {
      task_id: id,
      status: 'submitted',
      message: 'Task submitted, query the result later',
    };
  }

  @Get('/task-status/:task_id')
  async status(@Path('task_id', Type.String()) id: string) {
    const job = await this.jobs.get(id);
    if (!job) throw new NotFound(`There is no task '${id}'.`);
    return { task_id: job.id, status: job.state, result: job.result };
  }
}
