import { Readable } from 'node:stream';
import type { RawPart } from './multipart.ts';
import { baseName } from './upload.ts';

/** One part of a form, as it comes. Read it, or leave it, before asking for the next one. */
export class FormPart {
  readonly name: string;
  /** The last part of the name that the client gave; undefined for a field that is no file. */
  readonly fileName: string | undefined;
  /** What the client says it is, e.g. `image/png`. */
  readonly type: string;
  readonly stream: Readable;

  constructor({ name, fileName, type, content }: RawPart) {
    this.name = name;
    this.fileName = fileName === undefined ? undefined : baseName(fileName);
    this.type = type;
    this.stream = Readable.from(content, { objectMode: false });
  }
}
