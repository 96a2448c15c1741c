import { Jobs } from '@thereafter/queue';
import { BackgroundTasks, Body, Controller, Get, NotFound, Path, Post } from 'thereafter';
import { Type, type Static } from 'typebox';
import { WelcomeMail } from './welcome-mail.ts';

const SignUp = Type.Object({
  email: Type.String({ format: 'email' }),
  name: Type.String({ minLength: 1, maxLength: 100 }),
});
type SignUp = Static<typeof SignUp>;

@Controller('/sign-ups')
export class SignUpsController {
  constructor(private jobs: Jobs) {}

  @Post('/', { status: 202 })
  signUp(@Body(SignUp) signUp: SignUp, tasks: BackgroundTasks) {
    // Stored before this answer is written: who sees the 202 will get the mail, whatever dies.
    return { mail: tasks.add(WelcomeMail, signUp).id };
  }

  @Get('/:mail')
  async status(@Path('mail', Type.String()) id: string) {
    const job = await this.jobs.get(id);
    if (!job) throw new NotFound(`There is no mail ${id}.`);
    return { state: job.state, attempt: job.attempt };
  }
}
