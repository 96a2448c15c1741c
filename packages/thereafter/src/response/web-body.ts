import { ArgumentError, ThereafterError } from '@thereafter/di';
import { Readable } from 'node:stream';
import { toError } from '../untrusted.ts';

/** Bytes of the body of a `Response` that are kept, for the case that it is returned again. */
const KEPT_BYTES = 1024 * 1024;

/**
 * How long the rest of a body is still read when nobody needs it: not for long when its client has left,
 * since its source may never end; longer when only the head was asked for.
 */
const PATIENCE_MS = { left: 100, headOnly: 2000 };

const bodies = new WeakMap<Response, WebBody>();

/**
 * The body of a `Response`, to be sent. What has been sent of it is kept up to 1 MiB as long as the
 * `Response` is, so that one that a program keeps can be returned again, by several requests at once too.
 *
 * @throws {ResponseBodyError} `RESPONSE_BODY_USED` when somebody else reads it or has read it, or when
 *   it was returned before and has not been kept.
 */
export function bodyOfResponse(response: Response): Readable | undefined {
  const { body } = response;
  if (body === null) return undefined;
  let known = bodies.get(response);
  if (!known) {
    known = new WebBody(body, KEPT_BYTES);
    bodies.set(response, known);
  }
  return known.open();
}

/**
 * A web stream as one of Node that is read once.
 *
 * @throws {ResponseBodyError} `RESPONSE_BODY_USED` when somebody else reads it or has read it.
 */
export function fromWebStream(stream: ReadableStream): Readable {
  return new WebBody(stream, 0).open();
}

/** A body cannot be sent, because it was read before. */
export class ResponseBodyError extends ThereafterError {
  readonly code = 'RESPONSE_BODY_USED';
}

/** A piece of a body, and what comes after it once that has been read. `null` is the end. */
interface Piece {
  readonly bytes: Uint8Array | null;
  next: Piece | undefined;
}

/**
 * A web stream that is read by whoever needs its next piece first, and given to all who read it. The
 * pieces are a chain: without its beginning, only those that somebody is still to get stay in memory.
 */
class WebBody {
  readonly #source: ReadableStreamDefaultReader<unknown>;
  readonly #keptBytes: number;
  readonly #readers = new Set<WebBodyReader>();
  /** Where the chain begins; `undefined` when it has not been kept. */
  #first: Piece | undefined = { bytes: new Uint8Array(), next: undefined };
  #last = this.#first!;
  #bytes = 0;
  #reading: Promise<void> | undefined;

  constructor(stream: ReadableStream, keptBytes: number) {
    if (stream.locked || Readable.isDisturbed(stream as unknown as Readable)) {
      throw new ResponseBodyError(
        'The body of the response has been read already, or somebody else is reading it. Return one that nobody has touched.',
      );
    }
    this.#source = stream.getReader();
    this.#keptBytes = keptBytes;
  }

  open(): Readable {
    if (!this.#first) {
      throw new ResponseBodyError(
        'This Response was returned before, and its body was not kept: it failed, was larger than ' +
          `${KEPT_BYTES} bytes, or its client left. Make a new Response for each request.`,
      );
    }
    const reader = new WebBodyReader(this, this.#first);
    this.#readers.add(reader);
    if (this.#keptBytes === 0) this.#first = undefined;
    return reader;
  }

  /** What comes after a piece, and is read now if nobody has read it. */
  async after(piece: Piece): Promise<Piece> {
    while (!piece.next) await (this.#reading ??= this.#read());
    return piece.next;
  }

  async #read(): Promise<void> {
    try {
      const { done, value } = await this.#source.read();
      const bytes = done ? null : toBytes(value);
      this.#last = this.#last.next = { bytes, next: undefined };
      const before = this.#bytes;
      this.#bytes += bytes?.length ?? 0;
      if (this.#bytes > this.#keptBytes) this.#forget(before);
    } catch (error) {
      this.#first = undefined;
      throw error;
    } finally {
      this.#reading = undefined;
    }
  }

  /** Keeps no more than one reader needs. One that is far behind another would keep what lies between. */
  #forget(bytesBefore: number): void {
    this.#first = undefined;
    for (const reader of this.#readers) {
      if (bytesBefore - reader.bytesTaken <= KEPT_BYTES) continue;
      reader.destroy(
        new ResponseBodyError(
          `A Response was returned again while its body was sent, which has more than ${KEPT_BYTES} bytes. Make a new Response for each request.`,
        ),
      );
    }
  }

  leave(reader: WebBodyReader, hasFailed: boolean): void {
    this.#readers.delete(reader);
    if (!this.#isUnwanted) return;
    if (this.#first) void this.#readOn(hasFailed ? PATIENCE_MS.left : PATIENCE_MS.headOnly);
    else this.#cancel();
  }

  get #isUnwanted(): boolean {
    return this.#readers.size === 0 && this.#last.bytes !== null;
  }

  /**
   * All readers have left, after HEAD for example. What comes soon is kept for the next one; a source
   * that makes others wait is let go.
   */
  async #readOn(patienceMs: number): Promise<void> {
    let isPatient = true;
    const timer = setTimeout(() => {
      isPatient = false;
      if (this.#isUnwanted) this.#cancel();
    }, patienceMs).unref();
    try {
      while (isPatient && this.#isUnwanted && this.#first) await this.after(this.#last);
    } catch {
      // whoever returns it again is told
    }
    clearTimeout(timer);
    if (this.#isUnwanted && !this.#first) this.#cancel();
  }

  #cancel(): void {
    this.#first = undefined;
    this.#source.cancel().catch(() => undefined); // nobody wants to know any more
  }
}

class WebBodyReader extends Readable {
  readonly #body: WebBody;
  #at: Piece;
  bytesTaken = 0;

  constructor(body: WebBody, first: Piece) {
    super();
    this.#body = body;
    this.#at = first;
  }

  override _read(): void {
    this.#body.after(this.#at).then(
      (piece) => {
        this.#at = piece;
        this.bytesTaken += piece.bytes?.length ?? 0;
        this.push(piece.bytes);
      },
      (error: unknown) => this.destroy(toError(error)),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#body.leave(this, error !== null);
    done(error);
  }
}

function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return Buffer.from(value);
  throw new ArgumentError('A web stream that is sent must give bytes or text.');
}
