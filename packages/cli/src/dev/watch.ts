import { statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join } from 'node:path';

/** A new file of these kinds beside a watched one may be what an import was waiting for. */
const SOURCE = /\.(?:[cm]?[jt]sx?|json)$/;

/** One save is several events; they are taken as one. */
const SETTLE_MS = 20;

/**
 * Watches files, by their folders: editors save by replacing a file, and what is watched is then gone.
 * A change of any source file in these folders counts, since a worker thread may have loaded it.
 */
export class FileWatcher {
  readonly #onChange: (files: readonly string[]) => void;
  readonly #folders = new Map<string, FSWatcher>();
  /** What each file was like when it was last looked at. */
  readonly #seen = new Map<string, string>();
  readonly #touched = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  /** @param onChange - Told which files have changed, once for those that change together. */
  constructor(onChange: (files: readonly string[]) => void) {
    this.#onChange = onChange;
  }

  /** Watches a file, also one that is not there yet. Its folder has to be. */
  add(file: string): void {
    if (!this.#seen.has(file)) this.#seen.set(file, stateOf(file));
    const folder = dirname(file);
    if (this.#folders.has(folder)) return;
    this.#watch(folder, false, (path) => {
      if (this.#seen.has(path) || SOURCE.test(path)) this.#note(path);
    });
  }

  /** Watches whatever is in a folder, at any depth. */
  addFolder(folder: string): void {
    this.#folders.get(folder)?.close();
    this.#watch(folder, true, (path) => this.#note(path));
  }

  #watch(folder: string, recursive: boolean, onEvent: (path: string) => void): void {
    const watcher = watch(folder, { recursive }, (_event, name) => {
      if (name !== null) onEvent(join(folder, name));
    });
    // The folder is gone. When it comes back, whoever loads from it adds it again.
    watcher.on('error', () => {
      watcher.close();
      this.#folders.delete(folder);
    });
    this.#folders.set(folder, watcher);
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const watcher of this.#folders.values()) watcher.close();
  }

  #note(file: string): void {
    this.#touched.add(file);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#settle(), SETTLE_MS);
  }

  /** Leaves out files that were only looked at, or written with the same time and size. */
  #settle(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    const changed = touched.filter((file) => {
      const state = stateOf(file);
      const isNew = this.#seen.get(file) !== state;
      this.#seen.set(file, state);
      return isNew;
    });
    if (changed.length > 0) this.#onChange(changed);
  }
}

function stateOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats ? `${stats.mtimeMs}:${stats.size}` : 'none';
}
