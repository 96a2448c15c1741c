import {
  BackgroundTasks,
  Controller,
  createApp,
  Post,
  Query,
  Task,
  type JobContext,
} from 'thereafter';
import { Type, type Static } from 'typebox';
import { Mailer } from './mailer.ts';

const Welcome = Type.Object({ email: Type.String() });
type Welcome = Static<typeof Welcome>;

@Task(Welcome)
class SendWelcome {
  constructor(private readonly mailer: Mailer) {}

  async run({ email }: Welcome, job: JobContext) {
    await this.mailer.send(email, job.signal);
  }
}

@Controller()
class SignUps {
  @Post('/sign-up')
  signUp(@Query('email', Type.String()) email: string, tasks: BackgroundTasks) {
    tasks.add(SendWelcome, { email }); // begins when the response is out
    return { message: 'A mail is on its way' };
  }
}

await createApp().include(SignUps, SendWelcome).run();
