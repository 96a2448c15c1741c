import { createReadStream } from 'node:fs';
import { copyFile, readFile, rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { RawPart } from './multipart.ts';
import type { Pairs } from './pairs.ts';

/**
 * A file that a client sent, on disk. It is there until the background tasks of its request are done,
 * and removed then, however they end.
 */
export class UploadedFile {
  /** The last part of the name that the client gave: fit to be shown, and to be mistrusted. */
  readonly name: string;
  /** What the client says it is, e.g. `image/png`. */
  readonly type: string;
  /** In bytes. */
  readonly size: number;
  /** Where it is, under a name of our own. */
  readonly path: string;

  constructor({ name, type, size, path }: Pick<UploadedFile, 'name' | 'type' | 'size' | 'path'>) {
    this.name = name;
    this.type = type;
    this.size = size;
    this.path = path;
  }

  /** The content, read as fast as it is taken. */
  stream(): Readable {
    return createReadStream(this.path);
  }

  /** The content, all of it in memory. */
  bytes(): Promise<Buffer> {
    return readFile(this.path);
  }

  /** Keeps the file, at this path; what is there is replaced. */
  async moveTo(path: string): Promise<void> {
    try {
      await rename(this.path, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error; // another disk
      await copyFile(this.path, path);
    }
  }
}

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

/** What a route wants of a form, over all its inputs. */
export interface FormPlan {
  /** Bytes of the form, or of its fields when it has files; default `limits.maxBodyBytes`. */
  readonly maxBytes: number | undefined;
  /** The fields that are kept. */
  readonly fields: ReadonlySet<string>;
  /** Whether a field that is not among them is a fault, so that its name is kept. */
  readonly refusesOthers: boolean;
  /** The files that are kept, by name, and their largest sizes. Others are read and dropped. */
  readonly files: ReadonlyMap<string, number | undefined>;
}

/** A form that has been read. */
export interface FormBody {
  readonly fields: Pairs;
  readonly files: ReadonlyMap<string, readonly UploadedFile[]>;
}

/** Without folders, of any system, and without characters that cannot be seen. */
export function baseName(clientName: string): string {
  const start = Math.max(clientName.lastIndexOf('/'), clientName.lastIndexOf('\\')) + 1;
  const last = clientName.slice(start).replaceAll(/\p{Cc}/gu, '');
  return last === '' || last === '.' || last === '..' ? 'file' : last;
}
