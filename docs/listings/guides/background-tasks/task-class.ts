import { Injectable, Task, type JobContext } from 'thereafter';
import { Type, type Static } from 'typebox';

@Injectable()
export class Mailer {
  readonly sent: string[] = [];

  async send(to: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sent.push(to);
  }
}

const Receipt = Type.Object({ email: Type.String(), orderId: Type.Integer() });
type Receipt = Static<typeof Receipt>;

@Task(Receipt, { timeout: '30s' })
export class SendReceipt {
  constructor(private readonly mailer: Mailer) {}

  async run({ email, orderId }: Receipt, job: JobContext): Promise<void> {
    job.log.info({ orderId, outcome: job.outcome }, 'sending a receipt'); // with the id of the request
    await this.mailer.send(email, job.signal);
  }
}
