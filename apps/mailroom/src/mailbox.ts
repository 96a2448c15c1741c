import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
}

const MAX_MAIL_BYTES = 1024 * 1024;

/** A mail server in this process, for this machine only. Of two mails with one id it keeps the first. */
export class Mailbox {
  /** How often a mail came that was there already. */
  repeated = 0;
  readonly #mails = new Map<string, ReceivedMail>();
  #change = Promise.withResolvers<void>();
  readonly #server: SMTPServer;

  private constructor() {
    this.#server = new SMTPServer({
      logger: false,
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      size: MAX_MAIL_BYTES,
      onData: (stream, { envelope: { rcptTo } }, answer) => {
        const to = rcptTo.map(({ address }) => address);
        this.#receive(to, stream).then(() => answer(), answer);
      },
    });
    this.#server.on('error', () => undefined); // a client that breaks off is told by its own error
  }

  async #receive(to: readonly string[], raw: Readable): Promise<void> {
    const mail = await PostalMime.parse(await buffer(raw));
    const { messageId: id = '', subject = '', text = '' } = mail;
    if (this.#mails.has(id)) this.repeated += 1;
    else this.#mails.set(id, { id, to, subject, text: text.trim() });
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }

  /** @param port - 0 for any free one. */
  static async open(port: number): Promise<Mailbox> {
    const mailbox = new Mailbox();
    await once(mailbox.#server.listen(port, '127.0.0.1'), 'listening');
    return mailbox;
  }

  get url(): string {
    const { port } = this.#server.server.address() as AddressInfo; // a port, not a pipe
    return `smtp://127.0.0.1:${port}`;
  }

  /** What came, the oldest first. */
  get mails(): readonly ReceivedMail[] {
    return [...this.#mails.values()];
  }

  /** Waits for the next mail. */
  changed(): Promise<void> {
    return this.#change.promise;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
