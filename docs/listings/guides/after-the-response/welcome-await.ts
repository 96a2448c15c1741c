import { Controller, createApp, Post, Query } from 'thereafter';
import { Type } from 'typebox';
import { Mailer } from './mailer.ts';

@Controller()
class SignUps {
  constructor(private readonly mailer: Mailer) {}

  @Post('/sign-up')
  async signUp(@Query('email', Type.String()) email: string) {
    await this.mailer.send(email); // the client waits, and is told when it fails
    return { message: 'The mail is out' };
  }
}

await createApp().include(SignUps).run();
