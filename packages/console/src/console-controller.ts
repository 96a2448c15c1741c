import type { Job, Jobs, JobState } from '@thereafter/queue';
import { EngineAdmin } from '@thereafter/tasks';
import {
  App,
  BadRequest,
  Context,
  Conflict,
  Get,
  inject,
  NotFound,
  Post,
  Reply,
  sse,
  ThereafterError,
  type Sse,
} from 'thereafter';
import { Live } from './live.ts';
import { pageFile, pageReply } from './page.ts';
import { TaskHistory, type TaskRecord } from './task-history.ts';

/** A job as a list shows it: payloads and results may be large. */
export type JobLine = Omit<Job, 'payload' | 'result' | 'errors' | 'error'> & {
  readonly error: string | null;
};

const JOB_STATES: ReadonlySet<string> = new Set<JobState>([
  'scheduled',
  'available',
  'running',
  'completed',
  'failed',
  'cancelled',
]);

const PAGE_SIZE = 50;

/** The requests of the console. Its path and guard come with the class that extends it. */
export abstract class ConsoleController {
  protected abstract readonly title: string;
  readonly #app: App = inject(App);
  readonly #live: Live = inject(Live);
  readonly #history: TaskHistory = inject(TaskHistory);
  /** Of the engine of `@thereafter/queue`, which is not loaded here: an app without jobs need not have it. */
  readonly #jobsOfApp: Jobs | undefined = inject(EngineAdmin) as Jobs | undefined;

  @Get('/')
  page(ctx: Context): Reply {
    return pageReply(ctx);
  }

  @Get('/page/:file')
  file(ctx: Context): Reply {
    return pageFile(ctx);
  }

  @Get('/api/app')
  app(ctx: Context): object {
    // The console shows the app, not itself.
    const own = ctx.route!.slice(0, -'/api/app'.length); // a route is running
    const routes = this.#app.routes.filter(({ path }) => !`${path}/`.startsWith(`${own}/`));
    return { title: this.title, hasJobs: this.#jobsOfApp !== undefined, routes };
  }

  @Get('/api/live')
  follow(): Sse<unknown> {
    return sse(this.#live.follow);
  }

  @Get('/api/tasks/:id')
  task(ctx: Context): TaskRecord {
    const task = this.#history.get(ctx.params.id!);
    if (task) return task;
    throw new NotFound('This task is no longer remembered: the console keeps the latest 500.');
  }

  @Get('/api/queues')
  async queues(): Promise<object> {
    const [queues, schedules] = await Promise.all([this.#jobs.queues(), this.#jobs.schedules()]);
    return { queues: queues.toSorted((a, b) => (a.name < b.name ? -1 : 1)), schedules };
  }

  @Get('/api/jobs')
  async list(ctx: Context): Promise<object> {
    const { state, queue, task, after } = toFilter(ctx);
    const jobs = await this.#jobs.list({
      limit: PAGE_SIZE,
      ...(state !== undefined && { state }),
      ...(queue !== undefined && { queue }),
      ...(task !== undefined && { task }),
      ...(after !== undefined && { after }),
    });
    return { items: jobs.map(toLine), next: jobs.next ?? null };
  }

  @Get('/api/jobs/:id')
  async job(ctx: Context): Promise<Job> {
    return await this.#find(ctx.params.id!);
  }

  @Post('/api/jobs/:id/retry')
  async retry(ctx: Context): Promise<Job> {
    const id = ctx.params.id!;
    const isDone = await this.#jobs.retry(id);
    const job = await this.#find(id);
    if (!isDone) {
      throw new Conflict(
        `The job ${id} was not put back: it is ${job.state}, and only one that has ended can be, as long as ` +
          'no other has its unique key.',
      );
    }
    return this.#report(ctx, 'retry', job);
  }

  @Post('/api/jobs/:id/cancel')
  async cancel(ctx: Context): Promise<Job> {
    const id = ctx.params.id!;
    const isDone = await this.#jobs.cancel(id);
    const job = await this.#find(id);
    if (!isDone) throw new Conflict(`The job ${id} was not cancelled: it is ${job.state} already.`);
    return this.#report(ctx, 'cancel', job);
  }

  @Post('/api/jobs/:id/remove', { status: 204 })
  async remove(ctx: Context): Promise<void> {
    const job = await this.#find(ctx.params.id!);
    if (!(await this.#jobs.remove(job.id))) {
      throw new Conflict(`The job ${job.id} was not removed: it runs. Cancel it first.`);
    }
    this.#report(ctx, 'remove', job);
  }

  @Post('/api/queues/:queue/pause', { status: 204 })
  async pause(ctx: Context): Promise<void> {
    await this.#steerQueue(ctx, 'pause');
  }

  @Post('/api/queues/:queue/resume', { status: 204 })
  async resume(ctx: Context): Promise<void> {
    await this.#steerQueue(ctx, 'resume');
  }

  async #steerQueue(ctx: Context, action: 'pause' | 'resume'): Promise<void> {
    const queue = ctx.params.queue!;
    const known = await this.#jobs.queues();
    if (!known.some(({ name }) => name === queue)) {
      throw new NotFound(`There is no queue ${queue}: it has no job, and nobody works on it.`);
    }
    try {
      await this.#jobs[action](queue);
    } catch (error) {
      if (!(error instanceof ThereafterError) || error.code !== 'JOBS_UNSUPPORTED') throw error;
      throw new Conflict(error.message);
    }
    ctx.log.info({ queue, action }, 'a queue was steered from the console');
  }

  async #find(id: string): Promise<Job> {
    const job = await this.#jobs.get(id);
    if (!job) throw new NotFound(`There is no job ${id}, or no longer.`);
    return job;
  }

  /** Who did what to which job is looked for one day; the line has the id of the request. */
  #report(ctx: Context, action: string, job: Job): Job {
    const { id: jobId, task: taskName } = job;
    ctx.log.info({ jobId, taskName, action }, 'a job was steered from the console');
    return job;
  }

  get #jobs(): Jobs {
    if (this.#jobsOfApp) return this.#jobsOfApp;
    throw new NotFound(
      'This app has no durable jobs. Give it an engine: createApp({ jobs: jobs({ driver }) }).',
    );
  }
}

interface Filter {
  readonly state: JobState | undefined;
  readonly queue: string | undefined;
  readonly task: string | undefined;
  readonly after: string | undefined;
}

function toFilter({ query }: Context): Filter {
  const one = (name: string): string | undefined => {
    const value = query[name];
    if (Array.isArray(value)) throw new BadRequest(`${name} is given more than once.`);
    return value === '' ? undefined : (value as string | undefined); // not repeated
  };
  const state = one('state');
  if (state !== undefined && !JOB_STATES.has(state)) {
    throw new BadRequest(`state is one of ${[...JOB_STATES].join(', ')}, and not '${state}'.`);
  }
  return {
    state: state as JobState | undefined, // checked
    queue: one('queue'),
    task: one('task'),
    after: one('after'),
  };
}

function toLine({
  payload: _payload,
  result: _result,
  errors: _errors,
  error,
  ...job
}: Job): JobLine {
  return { ...job, error: error && `${error.name}: ${error.message}`.slice(0, 500) };
}
