import { ArgumentError, ThereafterError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';
import { Readable } from 'node:stream';
import { exchangeOf, type Context } from '../context.ts';
import { isThenable, toError } from '../untrusted.ts';
import { Reply, ReplySource, type ReplyStyle } from './reply.ts';

/** One event of a stream. */
export interface SseEvent<T = unknown> {
  /** Text is sent as it is, everything else as JSON, filtered by the route's response schema. */
  readonly data?: T;
  /** The name under which a browser dispatches it; default `message`. One line. */
  readonly event?: string;
  /** Comes back as `Last-Event-ID` when the client connects again. One line. */
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retry?: number;
}

/** What a source of events works with. */
export interface SseStream<T = unknown> {
  /** The id of the last event that the client has seen, when it connects again. */
  readonly lastEventId: string | undefined;
  /** Aborts when the stream is over: the client left, the app stops, or `close()` was called. */
  readonly signal: AbortSignal;
  /**
   * Sends an event; does nothing once the stream is over. A client that leaves more than 1 MiB unread
   * is cut.
   *
   * @throws {ArgumentError} For an `event` or `id` with a line break, or a `retry` that is no whole number.
   */
  readonly send: (event: SseEvent<T>) => void;
  /** Ends the stream when what was sent is read. */
  readonly close: () => void;
}

/**
 * Where events come from: an async iterable, or a function of the stream that returns one. A function
 * may also `send()`: the stream ends with its promise if it is asynchronous, and with `close()` if it
 * is not; a function that it returns is called at the end.
 */
export type SseSource<T> =
  | AsyncIterable<SseEvent<T>>
  | ((stream: SseStream<T>) => AsyncIterable<SseEvent<T>> | Promise<void> | (() => unknown) | void);

/** What `sse()` takes. */
export interface SseOptions {
  /** How often a comment is sent so that nothing in between takes the connection for dead; default `'15s'`. */
  readonly keepAlive?: Duration;
}

/** Most bytes that wait for a client which does not read. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/**
 * An answer of server-sent events. An iterable is asked for the next event when the client has room for
 * it. The stream ends with its source, when the client leaves and when the app stops.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function sse<T = unknown>(source: SseSource<T>, options: SseOptions = {}): Sse<T> {
  return new Sse(source, options);
}

/** What `sse()` gives, for a handler to return. */
export class Sse<T> extends ReplySource {
  readonly #source: SseSource<T>;
  readonly #keepAliveMs: number;

  constructor(source: SseSource<T>, { keepAlive = '15s' }: SseOptions) {
    super();
    this.#source = source;
    this.#keepAliveMs = toMilliseconds(keepAlive);
  }

  override toReply(ctx: Context, { serialise, status }: ReplyStyle): Reply {
    const body = new SseBody<T>(this.#source, {
      keepAliveMs: this.#keepAliveMs,
      // Node gives a repeated header as one text.
      lastEventId: ctx.headers['last-event-id'] as string | undefined,
      stopping: exchangeOf(ctx).app.stopping,
      serialise: (data) => (typeof data === 'string' ? data : serialise(data, status)),
    });
    const headers = new Headers({ 'cache-control': 'no-cache', 'x-accel-buffering': 'no' });
    return new Reply(status, 'text/event-stream', body, headers);
  }
}

interface SseSettings {
  readonly keepAliveMs: number;
  readonly lastEventId: string | undefined;
  readonly stopping: AbortSignal;
  readonly serialise: (data: unknown) => string;
}

/**
 * The bytes of an event stream.
 *
 * - idle: nobody has read; the source has not been asked, so that HEAD starts nothing
 * - open: the source runs, comments are sent
 * - over: closed or destroyed; the signal is aborted and the source told to stop
 */
class SseBody<T> extends Readable {
  readonly #source: SseSource<T>;
  readonly #settings: SseSettings;
  readonly #controller = new AbortController();
  readonly #stop = (): void => this.#close();
  #keepAlive: NodeJS.Timeout | undefined;
  #cleanUp: (() => unknown) | undefined;
  #hasRoom: (() => void) | undefined;
  #state: 'idle' | 'open' | 'over' = 'idle';

  constructor(source: SseSource<T>, settings: SseSettings) {
    super();
    this.#source = source;
    this.#settings = settings;
  }

  /** What the source gets; its functions may be taken apart. */
  #handle(): SseStream<T> {
    return {
      lastEventId: this.#settings.lastEventId,
      signal: this.#controller.signal,
      send: (event) => this.#send(event),
      close: () => this.#close(),
    };
  }

  override _read(): void {
    this.#hasRoom?.();
    if (this.#state === 'idle') this.#open();
  }

  #open(): void {
    this.#state = 'open';
    const { keepAliveMs, stopping } = this.#settings;
    this.push(COMMENT); // so that the head of the response leaves now
    this.#keepAlive = setInterval(() => {
      if (this.readableLength === 0) this.push(COMMENT);
    }, keepAliveMs).unref();
    stopping.addEventListener('abort', this.#stop);
    if (stopping.aborted) return this.#close();
    try {
      const given =
        typeof this.#source === 'function' ? this.#source(this.#handle()) : this.#source;
      if (typeof given === 'function') this.#cleanUpWith(given);
      else if (isThenable(given)) this.#closeAfter(given);
      else if (given) this.#closeAfter(this.#pull(given));
    } catch (error) {
      this.destroy(toError(error));
    }
  }

  /** The source may have closed the stream before it returned. */
  #cleanUpWith(cleanUp: () => unknown): void {
    if (this.#state === 'over') void cleanUp();
    else this.#cleanUp = cleanUp;
  }

  #closeAfter(work: Promise<unknown>): void {
    work.then(
      () => this.#close(),
      // What fails because the stream is over is no fault.
      (error: unknown) => this.#state === 'open' && this.destroy(toError(error)),
    );
  }

  async #pull(events: AsyncIterable<SseEvent<T>>): Promise<void> {
    const iterator = events[Symbol.asyncIterator]();
    this.#cleanUpWith(() => iterator.return?.());
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true || this.#state === 'over') return;
      if (this.push(this.#format(value))) continue;
      await new Promise<void>((resolve) => (this.#hasRoom = resolve));
    }
  }

  #send(event: SseEvent<T>): void {
    if (this.#state === 'over') return;
    this.push(this.#format(event));
    if (this.readableLength > MAX_BUFFERED_BYTES) {
      this.destroy(new EventStreamError('EVENT_STREAM_UNREAD'));
    }
  }

  #format({ data, event, id, retry }: SseEvent<T>): string {
    let text = '';
    if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
    if (id !== undefined) text += `id: ${oneLine('id', id)}\n`;
    if (retry !== undefined) {
      if (!Number.isSafeInteger(retry) || retry < 0) {
        throw new ArgumentError(
          `The retry of an event must be whole milliseconds, and is ${retry}.`,
        );
      }
      text += `retry: ${retry}\n`;
    }
    if (data !== undefined) {
      for (const line of this.#settings.serialise(data).split(/\r\n|\r|\n/))
        text += `data: ${line}\n`;
    }
    return `${text}\n`;
  }

  #close(): void {
    if (this.#state === 'over') return;
    this.#end();
    this.push(null);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#end();
    done(error);
  }

  #end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearInterval(this.#keepAlive);
    this.#settings.stopping.removeEventListener('abort', this.#stop);
    this.#hasRoom?.();
    this.#controller.abort(new EventStreamError('EVENT_STREAM_OVER'));
    try {
      const ended = this.#cleanUp?.();
      if (isThenable(ended)) ended.then(undefined, () => undefined); // what fails now fails for nobody
    } catch (error) {
      process.emitWarning(toError(error));
    }
  }
}

const COMMENT = ':\n\n';

/**
 * Why an event stream has ended before its time, or at all: the reason of its signal.
 *
 * - `EVENT_STREAM_OVER` the client left, the app stops, or `close()` was called
 * - `EVENT_STREAM_UNREAD` the client does not keep up with the events
 */
class EventStreamError extends ThereafterError {
  readonly code: 'EVENT_STREAM_OVER' | 'EVENT_STREAM_UNREAD';

  constructor(code: EventStreamError['code']) {
    super(
      code === 'EVENT_STREAM_OVER'
        ? 'The event stream is over. What is sent now goes nowhere.'
        : 'The event stream was cut: its client leaves more than 1 MiB unread. Send less, or less often.',
    );
    this.code = code;
  }
}

function oneLine(field: string, text: string): string {
  if (/[\r\n\0]/.test(text)) {
    throw new ArgumentError(`The ${field} of an event must be one line without NUL.`);
  }
  return text;
}
