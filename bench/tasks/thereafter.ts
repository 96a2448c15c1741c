import { BackgroundTasks, Controller, createApp, Get } from 'thereafter';
import * as work from './work.ts';

@Controller()
class TasksController {
  @Get('/hello')
  none() {
    return { message: 'hello' };
  }

  @Get('/three')
  three(tasks: BackgroundTasks) {
    tasks.add(work.noop, 1, 'a');
    tasks.add(work.noop, 2, 'b');
    tasks.add(work.noop, 3, 'c');
    return { message: 'hello' };
  }

  @Get('/many')
  many(tasks: BackgroundTasks) {
    for (let i = 1; i < work.MANY; i++) tasks.add(work.noop, i, 'a');
    tasks.add(work.markLast);
    return { message: 'hello' };
  }

  @Get('/hold')
  hold(tasks: BackgroundTasks) {
    work.closeGate();
    for (let i = 0; i < work.MANY; i++) tasks.add(work.waitAtGate);
    return { message: 'hello' };
  }

  @Get('/release')
  release() {
    work.openGate();
    return { message: 'hello' };
  }

  @Get('/last')
  last() {
    return work.lastHasRun();
  }
}

await createApp({ logger: false, tasks: { maxPending: 2 * work.MANY } })
  .include(TasksController)
  .listen({ port: work.port });
