import { Jobs, jobs } from '@thereafter/queue';
import { sqlite } from '@thereafter/queue/sqlite';
import {
  BackgroundTasks,
  Controller,
  createApp,
  Get,
  NotFound,
  Path,
  Post,
  Query,
  Task,
  type JobContext,
} from 'thereafter';
import { Type, type Static } from 'typebox';
import { Mailer } from './mailer.ts';

const Welcome = Type.Object({ email: Type.String() });
type Welcome = Static<typeof Welcome>;

@Task(Welcome, { durable: true, attempts: 8 })
class SendWelcome {
  constructor(private readonly mailer: Mailer) {}

  async run({ email }: Welcome, job: JobContext) {
    await this.mailer.send(email, job.signal);
  }
}

@Controller()
class SignUps {
  constructor(private readonly jobs: Jobs) {}

  @Post('/sign-up')
  signUp(@Query('email', Type.String()) email: string, tasks: BackgroundTasks) {
    const { id } = tasks.add(SendWelcome, { email }); // stored before the answer is written
    return { message: 'A mail is on its way', id };
  }

  @Get('/sign-up/:id')
  async status(@Path('id', Type.String()) id: string) {
    const job = await this.jobs.get(id);
    if (!job) throw new NotFound(`There is no mail ${id}.`);
    return { state: job.state, attempt: job.attempt };
  }
}

const { JOBS_FILE = 'data/jobs.db' } = process.env;
await createApp({ jobs: jobs({ driver: sqlite({ file: JOBS_FILE }) }) })
  .include(SignUps, SendWelcome)
  .run();
