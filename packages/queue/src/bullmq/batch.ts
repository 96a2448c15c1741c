/**
 * Gathers what is asked for in one turn of the event loop, and does it in one go: one message to Redis,
 * where one each would cost more than the work itself.
 */
export class Batch<I, O> {
  readonly #run: (items: readonly I[]) => Promise<readonly O[]>;
  #waiting: { item: I; resolve: (result: O) => void; reject: (error: unknown) => void }[] = [];

  /** @param run - Gives the results in the order of the items. */
  constructor(run: (items: readonly I[]) => Promise<readonly O[]>) {
    this.#run = run;
  }

  add(item: I): Promise<O> {
    if (this.#waiting.length === 0) setImmediate(() => void this.#flush());
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const results = await this.#run(waiting.map(({ item }) => item));
      for (const [i, { resolve }] of waiting.entries()) resolve(results[i] as O); // one each
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
