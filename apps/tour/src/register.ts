import { BackgroundTasks, Controller, Get, NotFound, Post, Query } from 'thereafter';
import { Type } from 'typebox';
import { Mailer } from './mailer.ts';

/** A slow thing that the client need not wait for: a mail. */
@Controller()
export class RegisterController {
  constructor(private readonly mailer: Mailer) {}

  @Post('/register')
  register(
    @Query('email', Type.String({ format: 'email' })) email: string,
    tasks: BackgroundTasks,
  ) {
    tasks.with({ timeout: '30s' }).add(this.sendWelcome, email);
    return { message: 'Registered' };
  }

  @Get('/outbox', { errors: [NotFound] })
  outbox() {
    const { received } = this.mailer;
    if (!received) throw new NotFound('Mail goes to the server of SMTP_URL, and is read there.');
    return received;
  }

  private readonly sendWelcome = (email: string): Promise<void> =>
    this.mailer.send({
      to: email,
      subject: 'Welcome!',
      text: `Hello ${email}, it is good to have you here.`,
    });
}
