import { setTimeout as delay } from 'node:timers/promises';
import { Histogram, Registry } from 'prom-client';
import {
  BackgroundTasks,
  Context,
  Controller,
  Get,
  Injectable,
  Path,
  taskSignal,
  type Logger,
} from 'thereafter';
import { Type } from 'typebox';
import { LogFile } from './log-file.ts';

/** Wraps tasks, so that start, end, duration and failure of each are logged and counted. */
@Injectable()
export class Monitor {
  readonly #seconds: Histogram<'task' | 'end'>;

  constructor(registry: Registry) {
    this.#seconds = new Histogram({
      name: 'tour_monitored_task_seconds',
      help: 'How long the monitored tasks ran.',
      labelNames: ['task', 'end'],
      registers: [registry],
    });
  }

  /** The same task under the same name, watched. */
  watch<A extends unknown[]>(
    task: (...args: A) => Promise<void>,
    log: Logger,
  ): (...args: A) => Promise<void> {
    const { name } = task;
    const watched = async (...args: A): Promise<void> => {
      const startedAtMs = performance.now();
      let end = 'failed';
      log.info({ task: name }, 'task started');
      try {
        await task(...args);
        end = 'succeeded';
      } finally {
        const durationMs = performance.now() - startedAtMs;
        this.#seconds.observe({ task: name, end }, durationMs / 1000);
        log.info({ task: name, end, durationMs: Math.round(durationMs) }, 'task ended');
      }
    };
    return Object.defineProperty(watched, 'name', { value: name });
  }
}

/** A task under watch. The one of `bad` fails, to be seen in the log and among the numbers. */
@Controller('/monitored')
export class MonitoredController {
  constructor(
    private readonly monitor: Monitor,
    private readonly log: LogFile,
  ) {}

  @Get('/:name')
  submit(@Path('name', Type.String()) name: string, tasks: BackgroundTasks, ctx: Context) {
    tasks.add(this.monitor.watch(this.monitoredTask, ctx.log), name);
    return { message: 'Task submitted' };
  }

  private readonly monitoredTask = async (name: string): Promise<void> => {
    await delay(250, undefined, { signal: taskSignal() });
    if (name === 'bad') throw new Error(`cannot do '${name}'`);
    await this.log.append(`monitored ${name}`);
  };
}
