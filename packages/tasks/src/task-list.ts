import type { QueuedTask } from './queued-task.ts';

/**
 * Tasks in the order in which they came, each of which can leave at any time.
 *
 * A `Set` would do the same, but one that is filled and emptied all the time leaves old tables behind that
 * point to newer ones, and can keep ended tasks and their requests alive until the next full collection.
 */
export class TaskList {
  #first: QueuedTask | undefined = undefined;
  #last: QueuedTask | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(entry: QueuedTask): void {
    const last = this.#last;
    entry.links = { before: last, after: undefined };
    if (last) last.links!.after = entry;
    else this.#first = entry;
    this.#last = entry;
    this.#size += 1;
  }

  /** @returns Whether it was there. */
  delete(entry: QueuedTask): boolean {
    const { links } = entry;
    if (!links) return false;
    const { before, after } = links;
    if (before) before.links!.after = after;
    else this.#first = after;
    if (after) after.links!.before = before;
    else this.#last = before;
    // Who has left leads nowhere, for the same reason.
    links.before = links.after = entry.links = undefined;
    this.#size -= 1;
    return true;
  }

  /** A copy. */
  toArray(): QueuedTask[] {
    const entries: QueuedTask[] = [];
    for (let entry = this.#first; entry; entry = entry.links!.after) entries.push(entry);
    return entries;
  }
}
