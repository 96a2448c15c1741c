import { isUtf8 } from 'node:buffer';
import type { MultipartLimits } from '../limits.ts';
import { BadRequest, ContentTooLarge } from '../response/problem.ts';

/*
 * multipart/form-data, read as it is asked for: a part's content is read before the next part is looked
 * for, so what nobody takes from us is not taken from the client either.
 *
 *   preamble → delimiter → header → content → delimiter → … → closing delimiter → epilogue
 *
 * What is not quite right is refused, not repaired: two readers who repair differently see two forms.
 *
 * See RFC 7578, RFC 2046 section 5.1, and docs/adr/0007-multipart.md for why this is not a library.
 */

/** One part of a form, as it comes. */
export interface RawPart {
  readonly name: string;
  /** Given for files only; what the client says, path and all. */
  readonly fileName: string | undefined;
  readonly type: string;
  /** Left unread, it is read and dropped when the next part is asked for. */
  readonly content: AsyncGenerator<Buffer, void>;
}

/** The limits of the parts of one form. */
export interface PartLimits extends Required<MultipartLimits> {
  /** Bytes of all fields that are no files, together. */
  readonly maxBodyBytes: number;
  /** Bytes of a file of this name; default `maxFileBytes`. */
  readonly maxBytesOf: (name: string) => number | undefined;
}

/**
 * The parts of a form. Their limits hold for what nobody reads, too.
 *
 * @throws {BadRequest} When the form is malformed or incomplete.
 * @throws {ContentTooLarge} When it has too many parts, or one is too large; its content may throw it.
 */
export async function* readParts(
  body: AsyncIterable<Buffer>,
  contentType: string,
  limits: PartLimits,
): AsyncGenerator<RawPart, void> {
  const input = new MultipartInput(body, boundaryOf(contentType));
  await drain(input.content()); // the preamble
  let parts = 0;
  let files = 0;
  let fieldBytes = 0;
  while (await input.hasPart()) {
    if (++parts > limits.maxParts) throw tooMany('parts', limits.maxParts);
    const head = parseHead(await input.head(limits.maxPartHeaderBytes), limits.maxPartHeaders);
    const isFile = head.fileName !== undefined;
    if (isFile && ++files > limits.maxFiles) throw tooMany('files', limits.maxFiles);
    if (!isFile && parts - files > limits.maxFields) throw tooMany('fields', limits.maxFields);
    const { name } = head;
    const most = isFile ? (limits.maxBytesOf(name) ?? limits.maxFileBytes) : limits.maxFieldBytes;
    const content = limited(input.content(), (length, added) => {
      if (length > most) throw tooLarge(isFile ? 'file' : 'field', name, most);
      if (isFile) return;
      fieldBytes += added;
      if (fieldBytes > limits.maxBodyBytes) throw fieldsTooLarge(limits.maxBodyBytes);
    });
    yield { ...head, content };
    await drain(content);
  }
  await input.end();
}

function tooMany(what: string, most: number): ContentTooLarge {
  return new ContentTooLarge(`The form may have at most ${most} ${what}.`);
}

/** @param check - Is told how long it is so far, and by how much it grew. */
async function* limited(
  content: AsyncGenerator<Buffer, void>,
  check: (length: number, added: number) => void,
): AsyncGenerator<Buffer, void> {
  let length = 0;
  for await (const chunk of content) {
    length += chunk.length;
    check(length, chunk.length);
    yield chunk;
  }
}

function tooLarge(kind: string, name: string, most: number): ContentTooLarge {
  return new ContentTooLarge(`The ${kind} '${name}' may have at most ${most} bytes.`);
}

function fieldsTooLarge(most: number): ContentTooLarge {
  return new ContentTooLarge(`The fields of the form may have at most ${most} bytes together.`);
}

async function drain(content: AsyncGenerator<Buffer, void>): Promise<void> {
  while (!(await content.next()).done);
}

function boundaryOf(contentType: string): string {
  const { boundary } = parseParameters(contentType, contentType.indexOf(';'));
  if (!boundary || boundary.length > 70) {
    throw new BadRequest('The content-type of the form has no boundary.');
  }
  return boundary;
}

/** The bytes of a form, with as many of them in memory as it takes to recognise a delimiter. */
class MultipartInput {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  #buffer: Buffer = Buffer.from('\r\n'); // so that the first delimiter looks like the others

  constructor(body: AsyncIterable<Buffer>, boundary: string) {
    this.#chunks = body[Symbol.asyncIterator]();
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Everything before the next delimiter, which is taken too. */
  async *content(): AsyncGenerator<Buffer, void> {
    for (;;) {
      const at = this.#buffer.indexOf(this.#delimiter);
      if (at !== -1) {
        const last = this.#take(at);
        this.#take(this.#delimiter.length);
        if (last.length > 0) yield last;
        return;
      }
      // The beginning of a delimiter may stand at the end.
      const safe = this.#buffer.length - this.#delimiter.length + 1;
      if (safe > 0) yield this.#take(safe);
      await this.#more();
    }
  }

  /** After a delimiter: whether a part follows, or the form is at its end. */
  async hasPart(): Promise<boolean> {
    while (this.#buffer.length < 2) await this.#more();
    const mark = this.#take(2).toString('latin1');
    if (mark === '--') return false;
    if (mark !== '\r\n')
      throw new BadRequest('A boundary of the form is followed by something else.');
    return true;
  }

  async head(maxBytes: number): Promise<Buffer> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n\r\n');
      if (at > maxBytes || (at === -1 && this.#buffer.length > maxBytes + 3)) {
        throw new BadRequest(`The headers of a part have more than ${maxBytes} bytes.`);
      }
      if (at !== -1) {
        const head = this.#take(at);
        this.#take(4);
        return head;
      }
      await this.#more();
    }
  }

  /** Reads and drops what comes after the form. */
  async end(): Promise<void> {
    while (!(await this.#chunks.next()).done);
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) throw new BadRequest('The form ended before its closing boundary.');
    this.#buffer =
      this.#buffer.length === 0 ? next.value : Buffer.concat([this.#buffer, next.value]);
  }
}

/*
 * What a client writes into headers is read by hand, one way over it: an expression that tries another
 * split of the same characters is busy with some kilobytes of blanks for seconds.
 */

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
const CONTROL = /\p{Cc}/u;

function parseHead(bytes: Buffer, maxHeaders: number): Omit<RawPart, 'content'> {
  if (!isUtf8(bytes)) throw badHeader();
  const lines = bytes.toString().split('\r\n');
  if (lines.length > maxHeaders) {
    throw new BadRequest(`A part of the form has more than ${maxHeaders} headers.`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (!TOKEN.test(name) || CONTROL.test(value) || headers.has(name)) throw badHeader();
    headers.set(name, value);
  }
  const { name, filename } = parseDisposition(headers.get('content-disposition'));
  if (name === undefined || name === '') throw new BadRequest('A part of the form has no name.');
  return { name, fileName: filename, type: headers.get('content-type') ?? 'text/plain' };
}

function badHeader(): BadRequest {
  return new BadRequest('A part of the form has a malformed header.');
}

/** `form-data; name="a"; filename="b.png"`. What RFC 7578 forbids, such as `filename*`, is ignored. */
function parseDisposition(header = ''): { name?: string; filename?: string } {
  const end = header.indexOf(';');
  const kind = end === -1 ? header : header.slice(0, end);
  if (kind.trim().toLowerCase() !== 'form-data') {
    throw new BadRequest('A part of the form has no content-disposition form-data.');
  }
  const { name, filename } = parseParameters(header, end);
  return {
    ...(name !== undefined && { name: unescape(name) }),
    ...(filename !== undefined && { filename: unescape(filename) }),
  };
}

/**
 * The parameters of a header, such as `; name="a"; filename=b`.
 *
 * @param at - Where the first semicolon is; -1 when there is none.
 * @throws {BadRequest} When one is malformed or there twice.
 */
function parseParameters(header: string, at: number): Record<string, string | undefined> {
  const parameters = Object.create(null) as Record<string, string | undefined>;
  while (at !== -1 && at < header.length) {
    if (header[at] !== ';') throw badHeader();
    const start = skipBlanks(header, at + 1);
    const equals = header.indexOf('=', start);
    const key = header.slice(start, equals).toLowerCase();
    if (equals === -1 || !TOKEN.test(key) || key in parameters) throw badHeader();
    const end =
      header[equals + 1] === '"' ? endOfQuoted(header, equals + 1) : endOfToken(header, equals + 1);
    const value = header.slice(equals + 1, end);
    if (value.startsWith('"')) parameters[key] = value.slice(1, -1).replaceAll('\\"', '"');
    else if (TOKEN.test(value)) parameters[key] = value;
    else throw badHeader();
    at = skipBlanks(header, end);
  }
  return parameters;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t') at++;
  return at;
}

function endOfToken(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== ';' && text[at] !== ' ' && text[at] !== '\t') at++;
  return at;
}

/** After the quote that ends it. Only a quote can be escaped: some browsers send paths as they are. */
function endOfQuoted(text: string, from: number): number {
  for (let at = from + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at === -1) throw badHeader();
    if (text[at - 1] !== '\\') return at + 1;
  }
}

/** The three characters that browsers escape. @see https://html.spec.whatwg.org/#multipart-form-data */
function unescape(value: string): string {
  return value.replaceAll(/%(22|0D|0A)/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
