import { createReadStream, rmSync } from 'node:fs';
import { copyFile, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { nodeCrypto } from '../node-modules.ts';
import type { Context } from '../context.ts';
import { ContentTooLarge } from '../response/problem.ts';
import type { RawPart } from './multipart.ts';

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

/**
 * Writes a part to a temporary file, which is removed at the end of the request.
 *
 * @throws {ContentTooLarge} Beyond `maxBytes`.
 */
export async function saveFile(
  ctx: Context,
  part: RawPart,
  maxBytes: number,
): Promise<UploadedFile> {
  const path = join(await folder(), nodeCrypto().randomUUID());
  await using file = await open(path, 'wx', 0o600);
  ctx.atEnd(() => rm(path, { force: true }));
  let size = 0;
  for await (const chunk of part.content) {
    size += chunk.length;
    if (size > maxBytes) {
      throw new ContentTooLarge(`The file '${part.name}' may have at most ${maxBytes} bytes.`);
    }
    await file.writeFile(chunk);
  }
  return new UploadedFile({ name: baseName(part.fileName ?? ''), type: part.type, size, path });
}

let made: Promise<string> | undefined;

/** A folder of this process, which only its user may enter. */
function folder(): Promise<string> {
  return (made ??= makeFolder());
}

async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'thereafter-'));
  // For what was still in use when the process was told to end.
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Without folders, of any system, and without characters that cannot be seen. */
export function baseName(clientName: string): string {
  const last = clientName.slice(clientName.search(/[^/\\]*$/)).replaceAll(/\p{Cc}/gu, '');
  return last === '' || last === '.' || last === '..' ? 'file' : last;
}
