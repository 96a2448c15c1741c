import { jobs } from '@thereafter/queue';
import { sqlite } from '@thereafter/queue/sqlite';
import { BackgroundTasks, Body, Controller, createApp, Get, Post, Task } from 'thereafter';
import { Type, type Static } from 'typebox';

const Guest = Type.Object({ n: Type.Integer(), email: Type.String() });
type Guest = Static<typeof Guest>;

@Task(Guest, { durable: true, name: 'welcome' })
class Welcome {
  run(): void {}
}

@Controller()
class Posts {
  @Get('/hello')
  hello() {
    return { message: 'hello' };
  }

  @Post('/plain', { status: 202 })
  plain(@Body(Guest) guest: Guest) {
    return { guest: guest.n };
  }

  @Post('/durable', { status: 202 })
  durable(@Body(Guest) guest: Guest, tasks: BackgroundTasks) {
    tasks.add(Welcome, guest);
    return { guest: guest.n };
  }
}

// Storing is measured; the work is a worker's.
const engine = jobs({ driver: sqlite({ file: process.env['JOBS_FILE']! }), worker: false });
await createApp({ logger: false, jobs: engine }).include(Posts, Welcome).listen();
