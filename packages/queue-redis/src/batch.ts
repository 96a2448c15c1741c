/**
 * Gathers what is asked for in one turn of the event loop, and does it in one go: one message to Redis,
 * where one each would cost more than the work itself.
 */
export class Batch<I, O> {
  readonly #run: (items: readonly I[]) => Promise<readonly O[]>;
  readonly #weigh: (item: I) => number;
  readonly #most: number;
  #entries: Entry<I, O>[] = [];

  /**
   * @param run - Gives the results in the order of the items.
   * @param weigh - How much there is to do for an item.
   * @param most - What is done in one go at most, single items excepted.
   */
  constructor(
    run: (items: readonly I[]) => Promise<readonly O[]>,
    weigh: (item: I) => number = () => 1,
    most: number = Infinity,
  ) {
    this.#run = run;
    this.#weigh = weigh;
    this.#most = most;
  }

  add(item: I): Promise<O> {
    if (this.#entries.length === 0) setImmediate(() => this.#flush());
    return new Promise((resolve, reject) => {
      this.#entries.push({ item, resolve, reject });
    });
  }

  #flush(): void {
    const entries = this.#entries;
    this.#entries = [];
    let from = 0;
    let weight = 0;
    for (const [i, { item }] of entries.entries()) {
      weight += this.#weigh(item);
      if (weight <= this.#most || i === from) continue;
      void this.#settle(entries.slice(from, i));
      from = i;
      weight = this.#weigh(item);
    }
    void this.#settle(entries.slice(from));
  }

  async #settle(entries: readonly Entry<I, O>[]): Promise<void> {
    try {
      const results = await this.#run(entries.map(({ item }) => item));
      for (const [i, { resolve }] of entries.entries()) resolve(results[i] as O); // one each
    } catch (error) {
      for (const { reject } of entries) reject(error);
    }
  }
}

interface Entry<I, O> {
  readonly item: I;
  readonly resolve: (result: O) => void;
  readonly reject: (error: unknown) => void;
}
