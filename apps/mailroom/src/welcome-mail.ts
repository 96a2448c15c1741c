import { Task, type JobContext } from 'thereafter';
import { Type, type Static } from 'typebox';
import { Deliveries } from './deliveries.ts';
import { Mailer } from './mailer.ts';

const Payload = Type.Object({ email: Type.String(), name: Type.String() });

/**
 * A job runs at least once: its process may die when the mail is out and nobody has noted it. So the
 * mail has a key of its own, the job's id, that is the same in every attempt.
 */
@Task(Payload, {
  durable: true,
  name: 'welcome-mail',
  attempts: 20,
  backoff: { type: 'exponential', delay: '500ms', max: '1m', jitter: 0.2 },
  timeout: '30s',
})
export class WelcomeMail {
  constructor(
    private mailer: Mailer,
    private deliveries: Deliveries,
  ) {}

  async run({ email, name }: Static<typeof Payload>, { id }: JobContext) {
    if (await this.deliveries.has(id)) return;
    await this.mailer.send({
      key: id,
      to: email,
      subject: 'Welcome!',
      text: `Hello ${name}, good to have you.`,
    });
    await this.deliveries.add(id);
  }
}
