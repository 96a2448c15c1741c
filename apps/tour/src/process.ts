import { BackgroundTasks, Controller, Post, Query } from 'thereafter';
import { Type } from 'typebox';

/** A task that fails: the response is out already, and the failure is logged with its request. */
@Controller('/process')
export class ProcessController {
  @Post('/')
  submit(@Query('data', Type.String()) data: string, tasks: BackgroundTasks) {
    tasks.add(riskyTask, data);
    return { message: 'Task submitted' };
  }
}

function riskyTask(data: string): void {
  if (data === 'bad') throw new Error(`cannot process '${data}'`);
}
