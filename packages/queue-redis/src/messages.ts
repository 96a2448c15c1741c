import { within, type JobEvent } from '@thereafter/queue/driver';
import type { Redis } from 'ioredis';
import { channel, fromKeyPart } from './keys.ts';

/** How long the news of jobs are heard when nobody listens any more. */
const LINGER_MS = 5_000;

/**
 * What processes tell one another through Redis: what happened to jobs, as long as somebody here listens,
 * and which running jobs are to be cancelled, as long as this process works.
 */
export class Messages {
  readonly #client: Redis;
  readonly #events: string;
  readonly #cancel: string;
  readonly #listeners: ReadonlySet<(event: JobEvent) => void>;
  readonly #onCancel: (queue: string, id: string) => void;
  /** The last change of what is listened to. */
  #change: Promise<unknown> = Promise.resolve();
  #pending = 0;
  #isListening = false;
  #ending: NodeJS.Timeout | undefined = undefined;

  constructor(
    client: Redis,
    prefix: string,
    listeners: ReadonlySet<(event: JobEvent) => void>,
    onCancel: (queue: string, id: string) => void,
  ) {
    this.#client = client;
    this.#events = channel(prefix, 'events');
    this.#cancel = channel(prefix, 'cancel');
    this.#listeners = listeners;
    this.#onCancel = onCancel;
    client.on('message', (from: string, message: string) => this.#receive(from, message));
  }

  /** Listeners have come or gone. */
  listenersChanged(): void {
    clearTimeout(this.#ending);
    if (this.#listeners.size === 0) {
      // Often the next one comes soon.
      this.#ending = setTimeout(() => {
        this.#isListening = false;
        this.#then(() => this.#client.unsubscribe(this.#events));
      }, LINGER_MS);
      this.#ending.unref();
    } else if (!this.#isListening) {
      this.#isListening = true;
      this.#then(() => this.#client.subscribe(this.#events));
    }
  }

  close(): void {
    clearTimeout(this.#ending);
  }

  expectCancellations(): void {
    this.#then(() => this.#client.subscribe(this.#cancel));
  }

  /**
   * Resolves when everything that happens from now on is heard, a second later at most; undefined when
   * that is so already. Whoever listens first and looks then misses nothing.
   */
  get pending(): Promise<unknown> | undefined {
    return this.#pending > 0 ? within(1_000, this.#change) : undefined;
  }

  #then(change: () => Promise<unknown>): void {
    // Kept by the client and said again whenever the connection has come back.
    this.#pending += 1;
    this.#change = this.#change
      .then(change)
      .catch(() => {})
      .finally(() => (this.#pending -= 1));
  }

  #receive(from: string, message: string): void {
    const parts = message.split(':').map(fromKeyPart);
    if (from === this.#cancel) {
      const [queue = '', id = ''] = parts;
      this.#onCancel(queue, id);
      return;
    }
    const [type, queue = '', id = ''] = parts;
    const event = { type: type as JobEvent['type'], queue, id }; // only our scripts send it
    for (const listener of this.#listeners) listener(event);
  }
}
