import type { Context } from '../context.ts';
import type { Problem } from './problem.ts';

/** Turns an error into an answer. */
export type ErrorHandler<E> = (error: E, ctx: Context) => ErrorAnswer | Promise<ErrorAnswer>;

type ErrorAnswer = Problem | Response;

/** Who answers for which class of errors. The nearest class wins. */
export class ErrorHandlers {
  readonly #handlers = new Map<object, ErrorHandler<never>>();

  add<E>(target: abstract new (...args: never[]) => E, handler: ErrorHandler<E>): void {
    this.#handlers.set(target.prototype as object, handler as ErrorHandler<never>);
  }

  /** What the handler of the error's class says; nothing when there is none. */
  handle(error: unknown, ctx: Context): ErrorAnswer | Promise<ErrorAnswer> | undefined {
    if (this.#handlers.size === 0 || typeof error !== 'object') return undefined;
    for (let at = error; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const handler = this.#handlers.get(at);
      if (handler) return handler(error as never, ctx); // its prototype says that it is an E
    }
    return undefined;
  }
}
