import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from 'thereafter';

/** Stands for a mail server, which takes its time. */
@Injectable()
export class Mailer {
  async send(to: string, signal?: AbortSignal): Promise<void> {
    console.log(`mail to ${to}: begun`);
    await sleep(1000, undefined, { signal });
    console.log(`mail to ${to}: sent`);
  }
}
