import { send } from '@fastify/send';
import { basename, dirname, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Context } from '../context.ts';
import { NotFound, PreconditionFailed, RangeNotSatisfiable } from './problem.ts';
import { Reply, ReplySource, type ReplyStyle } from './reply.ts';

export interface SendFileOptions {
  /** Under which name the client is to save it; without, it is shown. Any characters. */
  readonly name?: string;
  /** The `content-type`; default: by the ending of the path. */
  readonly type?: string;
}

/**
 * An answer that is a file, with `ETag` and `Last-Modified`. Conditional requests (304, 412), ranges
 * (206, 416) and `If-Range` are answered as they ask; several ranges at once get the whole file. A
 * path without a file is a 404.
 *
 * @param path - Of a file that the client may see. A path that a client had a say in must be checked
 *   before: nothing is refused here.
 */
export function sendFile(path: string | URL, options: SendFileOptions = {}): FileReply {
  return new FileReply(typeof path === 'string' ? path : fileURLToPath(path), options);
}

/** What `sendFile()` gives, for a handler to return. */
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
    const { req, res } = ctx;
    const sent = await send(req, encodeURIComponent(basename(this.#path)), {
      root: dirname(this.#path),
      dotfiles: 'allow',
      index: false,
      cacheControl: false,
    });
    if (sent.type !== 'file') {
      sent.stream.destroy();
      throw sent.type === 'directory' ? new NotFound() : toProblem(sent);
    }
    const { statusCode, stream } = sent;
    const headers = new Headers(sent.headers);
    if (type !== undefined && statusCode !== 304) headers.set('content-type', type);
    if (name !== undefined) headers.set('content-disposition', attachment(name));
    if (req.method !== 'HEAD' && statusCode !== 304) {
      cutWhenShort(stream, Number(headers.get('content-length')), () => {
        ctx.hasBrokenBody = true;
        ctx.log.error({ path: ctx.path }, 'a file became shorter while it was sent');
        res.destroy();
      });
    }
    return new Reply(statusCode === 200 ? style.status : statusCode, undefined, stream, headers);
  }
}

function toProblem(sent: {
  statusCode: number;
  headers: Record<string, string>;
  metadata: { error: Error };
}): Error {
  switch (sent.statusCode) {
    case 412:
      return new PreconditionFailed();
    case 416:
      return new RangeNotSatisfiable(
        'The file has no such range.',
        sent.headers['Content-Range'] ?? '',
      );
    case 400:
    case 404:
      return new NotFound();
    default:
      return sent.metadata.error; // such as a file that must not be read
  }
}

/** The length has been promised by then, and a client would wait for the rest. */
function cutWhenShort(stream: Readable, expectedBytes: number, cut: () => void): void {
  stream.once('end', () => {
    const bytes = (stream as Readable & { bytesRead?: number }).bytesRead ?? 0; // of a file's stream
    if (bytes < expectedBytes) cut();
  });
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
