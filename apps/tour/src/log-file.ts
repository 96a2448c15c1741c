import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Inject, Injectable } from 'thereafter';
import { Settings } from './settings.ts';

/** Where the tour's tasks leave their traces. */
@Injectable()
export class LogFile {
  readonly #path: string;

  constructor(@Inject(Settings) settings: Settings) {
    this.#path = settings.LOG_FILE;
  }

  /** Appends one line, whatever a client has put into it; the folder is made when it is missing. */
  append = async (line: string): Promise<void> => {
    await mkdir(dirname(this.#path), { recursive: true });
    await appendFile(this.#path, `${line.replaceAll(/[\r\n]+/g, ' ')}\n`);
  };
}
