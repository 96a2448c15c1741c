import { createTransport } from 'nodemailer';
import { dependency } from 'thereafter';
import { Settings } from './settings.ts';

export interface Mail {
  /** The same for every attempt to send this mail. */
  readonly key: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** Sends mail over SMTP. */
export abstract class Mailer {
  abstract send(mail: Mail): Promise<void>;
}

const TIMEOUT_MS = 10_000;

/** A mailer for `SMTP_URL` that keeps a few connections open. */
export const openMailer = dependency(
  { settings: Settings },
  function* ({ settings: { SMTP_URL: url, MAIL_FROM: from } }): Generator<Mailer, void> {
    const transport = createTransport({
      url,
      pool: true,
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
    });
    yield {
      async send({ key, to, subject, text }) {
        await transport.sendMail({
          from,
          // As a record, an address is one address, whatever commas it has.
          to: { name: '', address: to },
          subject,
          text,
          // Mail servers and readers take two mails with one id for the same.
          messageId: `<${key}@mailroom.example.com>`,
        });
      },
    };
    transport.close();
  },
  { scope: 'singleton' },
);
