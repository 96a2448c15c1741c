import type { AddedTask } from './queued-task.ts';

/** For tests: notes every task that is added to a runner and, while it holds, lets none of them start. */
export class TaskRecorder {
  /** In the order in which they were added. */
  readonly added: AddedTask[] = [];
  #gate: PromiseWithResolvers<void> | undefined = undefined;

  /** Resolves when tasks may start again; `undefined` while they may. */
  get gate(): Promise<void> | undefined {
    return this.#gate?.promise;
  }

  /** Lets no task start from now on. Those that run go on. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Lets tasks start again, those that were held first. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }
}
