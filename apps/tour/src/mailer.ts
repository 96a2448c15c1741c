import { createTransport } from 'nodemailer';
import { dependency } from 'thereafter';
import { Outbox, type ReceivedMail } from './outbox.ts';
import { ReadyChecks } from './ready-checks.ts';
import { Settings } from './settings.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mail over SMTP. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
  /** What the server in this process received; undefined when mail goes to another one. */
  abstract readonly received: readonly ReceivedMail[] | undefined;
}

const TIMEOUT_MS = 10_000;

/** A mailer for `SMTP_URL`, or for a server that it starts and ends itself. */
export const openMailer = dependency(
  { settings: Settings, checks: ReadyChecks },
  async function* ({ settings, checks }): AsyncGenerator<Mailer, void> {
    const { SMTP_URL, MAIL_FROM: from } = settings;
    await using outbox = SMTP_URL === undefined ? await Outbox.open() : undefined;
    const transport = createTransport({
      url: SMTP_URL ?? outbox!.url, // one of the two is there
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    });
    checks['mail'] = () => transport.verify();
    yield {
      received: outbox?.mails,
      async send({ to, subject, text }) {
        // As a record, an address is one address, whatever commas it has.
        await transport.sendMail({ from, to: { name: '', address: to }, subject, text });
      },
    };
    transport.close();
  },
  { scope: 'singleton' },
);
