import { JOB_STATES, type Job, type Jobs, type ListOptions } from '@thereafter/queue';
import { EngineAdmin } from '@thereafter/tasks';
import {
  App,
  Context,
  Conflict,
  Get,
  inject,
  NotFound,
  Path,
  Post,
  Query,
  Reply,
  sse,
  ThereafterError,
  type Sse,
} from 'thereafter';
import { Type } from 'typebox';
import { Live } from './live.ts';
import { pageFile, pageReply } from './page.ts';
import { TaskHistory, type TaskRecord } from './task-history.ts';

/** A job as a list shows it: payloads and results may be large. */
export type JobLine = Omit<Job, 'payload' | 'result' | 'errors' | 'error'> & {
  readonly error: string | null;
};

const PAGE_SIZE = 50;

/** Which jobs a list is to show; an empty text does not narrow it. */
const Filter = Type.Object({
  state: Type.Optional(Type.Enum(JOB_STATES)),
  queue: Type.Optional(Type.String()),
  task: Type.Optional(Type.String()),
  after: Type.Optional(Type.String()),
});

const Id = Type.String();

/** The requests of the console. Its path, and who may ask, come with the class that extends it. */
export abstract class ConsoleController {
  protected abstract readonly title: string;
  readonly #app: App = inject(App);
  readonly #live: Live = inject(Live);
  readonly #history: TaskHistory = inject(TaskHistory);
  /** Of the engine of `@thereafter/queue`; `undefined` in an app without durable jobs. */
  readonly #jobsOfApp: Jobs | undefined = inject(EngineAdmin) as Jobs | undefined;

  @Get('/')
  page(ctx: Context): Reply | Promise<Reply> {
    return pageReply(ctx);
  }

  @Get('/page/:file')
  file(ctx: Context, @Path('file', Type.String()) name: string): Promise<Reply> {
    return pageFile(ctx, name);
  }

  @Get('/api/app')
  app(ctx: Context): object {
    // The console shows the app, not itself.
    const own = ctx.route!.slice(0, -'/api/app'.length); // a route is running
    const routes = this.#app.routes.filter(({ path }) => !`${path}/`.startsWith(`${own}/`));
    const hasJobs = this.#jobsOfApp !== undefined;
    return { title: this.title, hasJobs, jobStates: JOB_STATES, routes };
  }

  @Get('/api/live')
  follow(): Sse<unknown> {
    return sse(this.#live.follow);
  }

  @Get('/api/tasks/:id')
  task(@Path('id', Id) id: string): TaskRecord {
    const task = this.#history.get(id);
    if (task) return task;
    throw new NotFound('This task is no longer remembered: the console keeps the latest 500.');
  }

  @Get('/api/queues')
  async queues(): Promise<object> {
    const [queues, schedules] = await Promise.all([this.#jobs.queues(), this.#jobs.schedules()]);
    return { queues: queues.toSorted((a, b) => (a.name < b.name ? -1 : 1)), schedules };
  }

  @Get('/api/jobs')
  async list(@Query(Filter) filter: ListOptions): Promise<object> {
    const given = Object.entries(filter).filter(([, value]) => value !== '');
    const jobs = await this.#jobs.list({ ...Object.fromEntries(given), limit: PAGE_SIZE });
    return { items: jobs.map(toLine), next: jobs.next ?? null };
  }

  @Get('/api/jobs/:id')
  async job(@Path('id', Id) id: string): Promise<Job> {
    return await this.#find(id);
  }

  @Post('/api/jobs/:id/retry')
  async retry(ctx: Context, @Path('id', Id) id: string): Promise<Job> {
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
  async cancel(ctx: Context, @Path('id', Id) id: string): Promise<Job> {
    const isDone = await this.#jobs.cancel(id);
    const job = await this.#find(id);
    if (!isDone) throw new Conflict(`The job ${id} was not cancelled: it is ${job.state} already.`);
    return this.#report(ctx, 'cancel', job);
  }

  @Post('/api/jobs/:id/remove', { status: 204 })
  async remove(ctx: Context, @Path('id', Id) id: string): Promise<void> {
    const job = await this.#find(id);
    if (!(await this.#jobs.remove(job.id))) {
      throw new Conflict(`The job ${job.id} was not removed: it runs. Cancel it first.`);
    }
    this.#report(ctx, 'remove', job);
  }

  @Post('/api/queues/:queue/pause', { status: 204 })
  async pause(ctx: Context, @Path('queue', Id) queue: string): Promise<void> {
    await this.#steerQueue(ctx, queue, 'pause');
  }

  @Post('/api/queues/:queue/resume', { status: 204 })
  async resume(ctx: Context, @Path('queue', Id) queue: string): Promise<void> {
    await this.#steerQueue(ctx, queue, 'resume');
  }

  async #steerQueue(ctx: Context, queue: string, action: 'pause' | 'resume'): Promise<void> {
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

function toLine({
  payload: _payload,
  result: _result,
  errors: _errors,
  error,
  ...job
}: Job): JobLine {
  return { ...job, error: error && `${error.name}: ${error.message}`.slice(0, 500) };
}
