import { BackgroundTasks, Controller, createApp, Post, Query } from 'thereafter';
import { setTimeout as wait } from 'node:timers/promises';
import { Type } from 'typebox';

@Controller('/signup')
class SignupController {
  @Post('/')
  signup(@Query('email', Type.String()) email: string, tasks: BackgroundTasks) {
    tasks.add(sendWelcome, email);
    tasks.add(updateStatistics);
    return { message: `Welcome, ${email}` };
  }
}

async function sendWelcome(email: string) {
  await wait(200); // a mail server takes its time
  console.log(`sent a mail to ${email}`);
}

function updateStatistics() {
  console.log('one more user');
}

await createApp().include(SignupController).run();
