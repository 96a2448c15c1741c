import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context.ts';
import { NotFound } from './problem.ts';
import { ReplySource, type Reply, type ReplyStyle } from './reply.ts';
import { requestedFile } from './requested-file.ts';

/** How a client is to take a file. */
export interface SendFileOptions {
  /** Under which name the client is to save it; without, it is shown. Any characters. */
  readonly name?: string;
  /** The `content-type`; default: by the ending of the path, `application/octet-stream` for one that is not known. */
  readonly type?: string;
}

/**
 * An answer that is a file, with `ETag` and `Last-Modified`. Conditional requests (304, 412), ranges
 * (206, 416) and `If-Range` are answered as they ask; several ranges at once get the whole file. The
 * tag is weak, so `If-Range` and `If-Match` want the date instead. A path without a file is a 404.
 *
 * @param path - Of a file that the client may see. A path that a client had a say in must be checked
 *   before: nothing is refused here.
 */
export function sendFile(path: string | URL, options: SendFileOptions = {}): FileReply {
  return new FileReply(typeof path === 'string' ? path : fileURLToPath(path), options);
}

/** What `sendFile()` returns, for a handler to return. */
export class FileReply extends ReplySource {
  readonly #path: string;
  readonly #options: SendFileOptions;

  constructor(path: string, options: SendFileOptions) {
    super();
    this.#path = resolve(path);
    this.#options = options;
  }

  override async toReply(ctx: Context, style: ReplyStyle): Promise<Reply> {
    const { name, type } = this.#options;
    const reply = await requestedFile(
      ctx,
      dirname(this.#path),
      encodeURIComponent(basename(this.#path)),
      'allow',
    );
    if (!reply) throw new NotFound();
    if (type !== undefined) reply.headers.set('content-type', type);
    if (name !== undefined) reply.headers.set('content-disposition', attachment(name));
    if (reply.status === 200) reply.status = style.status;
    return reply;
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc6266 */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"${plain === name ? '' : `; filename*=UTF-8''${encoded}`}`;
}
