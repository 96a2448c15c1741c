import { type JobContext, Injectable, Task } from 'thereafter';
import { Type, type Static } from 'typebox';
import { UserRepo } from './users.js';

@Injectable()
export class Mailer {
  async send(to: string, subject: string, signal: AbortSignal) {
    signal.throwIfAborted();
    console.log(to, subject);
  }
}

const Welcome = Type.Object({ userId: Type.Integer() });
type Welcome = Static<typeof Welcome>;

@Task(Welcome, { attempts: 5, backoff: 'exponential', timeout: '30s' })
export class SendWelcome {
  constructor(
    private users: UserRepo,
    private mail: Mailer,
  ) {} // its own scope, opened for each run and closed after it

  async run({ userId }: Welcome, job: JobContext) {
    const user = await this.users.find(userId);
    if (!user) return; // gone since: nothing to do
    await this.mail.send(user.email, 'Welcome', job.signal);
  }
}
