/**
 * Jobs whose worker was lost while they ran: one of them may be the cause. They are run one at a time in
 * a process, so that the culprit, when it strikes again, takes none of the others with it.
 */
export class Quarantine {
  #inside: { readonly id: string; readonly sinceMs: number } | undefined = undefined;

  /**
   * Lets a job in, if none is.
   *
   * @returns How long it should wait before it asks again, in milliseconds; 0 when it is in. The longer
   *   the one inside has been running, the longer.
   */
  enter(id: string, nowMs: number): number {
    if (!this.#inside) {
      this.#inside = { id, sinceMs: nowMs };
      return 0;
    }
    return Math.min(Math.max(Math.round(nowMs - this.#inside.sinceMs), MIN_WAIT_MS), MAX_WAIT_MS);
  }

  leave(id: string): void {
    if (this.#inside?.id === id) this.#inside = undefined;
  }
}

const MIN_WAIT_MS = 20;
const MAX_WAIT_MS = 5000;
