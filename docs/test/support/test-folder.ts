import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { docs } from './page.ts';

/** A folder below `docs`, so that what is imported in it is found. Removed when it is disposed. */
export class TestFolder implements Disposable {
  readonly path: string;

  /** @param content - A folder whose files it has at the beginning; none by default. */
  constructor(content?: string) {
    const parent = join(docs, 'test/dist');
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(parent, 'reader-'));
    if (content !== undefined) cpSync(content, this.path, { recursive: true });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true });
  }
}
