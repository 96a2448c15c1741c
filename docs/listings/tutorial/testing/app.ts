import { BackgroundTasks, Controller, createApp, Injectable, Post, Query } from 'thereafter';
import { Type } from 'typebox';

@Injectable()
export class Mailer {
  async send(to: string, text: string): Promise<void> {
    throw new Error(`There is no mail server to send '${text}' to ${to}.`);
  }
}

@Controller('/signup')
class SignupController {
  constructor(private readonly mailer: Mailer) {}

  @Post('/')
  signup(@Query('email', Type.String({ format: 'email' })) email: string, tasks: BackgroundTasks) {
    tasks.add((to: string) => this.mailer.send(to, 'Welcome!'), email);
    return { message: 'Welcome!' };
  }
}

export const shop = () => createApp({ logger: false }).include(SignupController);
