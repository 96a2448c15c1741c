import { BackgroundTasks, Context, Controller, Post, Query, Task } from 'thereafter';
import { Type, type Static } from 'typebox';
import { Mailer } from './mailer.ts';

const Welcome = Type.Object({ email: Type.String() });

/** Stops the app at start (TA112): when a job runs, its request is over. */
@Task(Welcome, { durable: true })
export class NeedsARequest {
  constructor(readonly ctx: Context) {}

  run({ email }: Static<typeof Welcome>): string {
    return `${email} uses ${this.ctx.headers['user-agent']}`; // belongs into the payload
  }
}

@Controller()
export class SignUps {
  constructor(private readonly mailer: Mailer) {}

  @Post('/called')
  called(@Query('email', Type.String()) email: string, tasks: BackgroundTasks) {
    // @ts-expect-error A promise: the work has begun, and nobody hears of its failure.
    tasks.add(this.mailer.send(email)); // throws ARGUMENT_INVALID
    return 'is never returned';
  }

  @Post('/passed')
  passed(@Query('email', Type.String()) email: string, tasks: BackgroundTasks) {
    tasks.add((to: string) => this.mailer.send(to), email); // a function, and its arguments
    return 'A mail is on its way';
  }
}
