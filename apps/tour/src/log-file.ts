import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Injectable } from 'thereafter';

/** Where the tour's tasks leave their traces: `LOG_FILE`, by default `data/tour.log`. */
@Injectable()
export class LogFile {
  readonly path = process.env['LOG_FILE'] ?? 'data/tour.log';

  /** Appends one line; the folder is made when it is missing. */
  append = async (line: string): Promise<void> => {
    await mkdir(dirname(this.path), { recursive: true });
    await appendFile(this.path, `${line}\n`);
  };
}
