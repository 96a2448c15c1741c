/** First in, first out. Taking the first one costs the same however many there are, unlike `Array.shift`. */
export class Fifo<T extends object> {
  readonly #items: (T | undefined)[] = [];
  /** What stands before this index has been taken. */
  #next = 0;

  get first(): T | undefined {
    return this.#items[this.#next];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Takes the first one; `undefined` when there is none. */
  shift(): T | undefined {
    const { first } = this;
    if (first === undefined) return undefined;
    this.#items[this.#next++] = undefined; // or it would be kept until all have been taken
    if (this.#next === this.#items.length) this.#items.length = this.#next = 0;
    return first;
  }

  count(isCounted: (item: T) => boolean): number {
    return this.#items.reduce((sum, item) => (item && isCounted(item) ? sum + 1 : sum), 0);
  }
}
