import { isUtf8 } from 'node:buffer';
import type { AppLimits } from '../limits.ts';
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

/**
 * @throws {BadRequest} When the form is malformed or incomplete.
 * @throws {ContentTooLarge} When it has too many parts.
 */
export async function* readParts(
  body: AsyncIterable<Buffer>,
  contentType: string,
  limits: AppLimits['multipart'],
): AsyncGenerator<RawPart, void> {
  const input = new MultipartInput(body, boundaryOf(contentType));
  await drain(input.content()); // the preamble
  let parts = 0;
  let files = 0;
  while (await input.hasPart()) {
    if (++parts > limits.maxParts) throw tooMany('parts', limits.maxParts);
    const head = parseHead(await input.head(limits.maxPartHeaderBytes), limits.maxPartHeaders);
    const isFile = head.fileName !== undefined;
    if (isFile && ++files > limits.maxFiles) throw tooMany('files', limits.maxFiles);
    if (!isFile && parts - files > limits.maxFields) throw tooMany('fields', limits.maxFields);
    const content = input.content();
    yield { ...head, content };
    await drain(content);
  }
  await input.end();
}

function tooMany(what: string, most: number): ContentTooLarge {
  return new ContentTooLarge(`The form may have at most ${most} ${what}.`);
}

async function drain(content: AsyncGenerator<Buffer, void>): Promise<void> {
  while (!(await content.next()).done);
}

function boundaryOf(contentType: string): string {
  const found = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) throw new BadRequest('The content-type of the form has no boundary.');
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

const HEADER = /^([\w!#$%&'*+.^`|~-]+):[ \t]*([^\p{Cc}]*)$/u;
const PARAMETER =
  /;[ \t]*([\w!#$&+.^-]+\*?)=(?:"((?:\\"|[^"\\]|\\(?!"))*)"|([\w!#$%&'*+.^`|~-]+))[ \t]*/y;

function parseHead(bytes: Buffer, maxHeaders: number): Omit<RawPart, 'content'> {
  if (!isUtf8(bytes)) throw badHeader();
  const lines = bytes.toString().split('\r\n');
  if (lines.length > maxHeaders) {
    throw new BadRequest(`A part of the form has more than ${maxHeaders} headers.`);
  }
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value = ''] = HEADER.exec(line) ?? [];
    if (name === undefined || headers.has(name.toLowerCase())) throw badHeader();
    headers.set(name.toLowerCase(), value.trimEnd());
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
  const kind = /^form-data[ \t]*/i.exec(header);
  if (!kind) throw new BadRequest('A part of the form has no content-disposition form-data.');
  const parameters: { name?: string; filename?: string } = {};
  for (let at = kind[0].length; at < header.length; at = PARAMETER.lastIndex) {
    PARAMETER.lastIndex = at;
    const [, key = '', quoted, token] = PARAMETER.exec(header) ?? [];
    const value = quoted?.replaceAll('\\"', '"') ?? token;
    if (value === undefined) throw badHeader();
    const known = key.toLowerCase();
    if (known !== 'name' && known !== 'filename') continue;
    if (parameters[known] !== undefined) throw badHeader();
    parameters[known] = unescape(value);
  }
  return parameters;
}

/** The three characters that browsers escape. @see https://html.spec.whatwg.org/#multipart-form-data */
function unescape(value: string): string {
  return value.replaceAll(/%(22|0D|0A)/gi, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
