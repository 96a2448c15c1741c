/**
 * Jobs whose worker was lost while they ran may be the cause. A process runs one of them at a time, of all
 * its queues, so that the culprit takes none of the others with it when it strikes again.
 */
export class SuspectPlace {
  #isTaken = false;

  /** @returns Whether the place was free; then it is not any more. */
  take(): boolean {
    if (this.#isTaken) return false;
    this.#isTaken = true;
    return true;
  }

  leave(): void {
    this.#isTaken = false;
  }
}
