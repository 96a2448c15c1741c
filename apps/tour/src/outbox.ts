import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

export interface ReceivedMail {
  /** The envelope's: whom it was really for. */
  readonly to: readonly string[];
  readonly from: string;
  readonly subject: string;
  readonly text: string;
}

const MAX_MAILS = 100;
const MAX_MAIL_BYTES = 1024 * 1024;

/** A mail server in this process, for this machine only. It delivers nothing, and keeps what came last. */
export class Outbox implements AsyncDisposable {
  readonly #mails: ReceivedMail[] = [];
  readonly #server: SMTPServer;

  private constructor() {
    this.#server = new SMTPServer({
      logger: false,
      authOptional: true,
      disableReverseLookup: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      size: MAX_MAIL_BYTES,
      onData: (stream, { envelope: { rcptTo } }, answer) => {
        const to = rcptTo.map(({ address }) => address);
        this.#receive(to, stream).then(() => answer(), answer);
      },
    });
    // A client that breaks off is none of the tour's business; what sends mail is told by its own error.
    this.#server.on('error', () => undefined);
  }

  async #receive(to: readonly string[], raw: Readable): Promise<void> {
    const { from, subject = '', text = '' } = await PostalMime.parse(await buffer(raw));
    this.#mails.push({ to, from: from?.address ?? '', subject, text: text.trim() });
    if (this.#mails.length > MAX_MAILS) this.#mails.shift();
  }

  static async open(): Promise<Outbox> {
    const outbox = new Outbox();
    await once(outbox.#server.listen(0, '127.0.0.1'), 'listening');
    return outbox;
  }

  get url(): string {
    const { port } = this.#server.server.address() as AddressInfo; // a port, not a pipe
    return `smtp://127.0.0.1:${port}`;
  }

  /** The latest mails, the oldest first. */
  get mails(): readonly ReceivedMail[] {
    return this.#mails;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(resolve));
  }
}
