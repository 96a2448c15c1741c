import { BackgroundTasks, Context, Controller, Post, Query, type Logger } from 'thereafter';
import { Type } from 'typebox';

/**
 * A task that may fail: the response is out already. Its success is logged by itself, its failure by
 * `onTaskError` of the app, which raises an alert too.
 */
@Controller('/process')
export class ProcessController {
  @Post('/')
  submit(@Query('data', Type.String()) data: string, tasks: BackgroundTasks, ctx: Context) {
    tasks.add(riskyTask, data, ctx.log);
    return { message: 'Task submitted' };
  }
}

function riskyTask(data: string, log: Logger): void {
  if (data === 'bad') throw new Error(`cannot process '${data}'`);
  log.info({ data }, 'processed');
}
