import { ArgumentError, ThereafterError } from '@thereafter/di';
import type { Context } from '../context.ts';
import { isInstance, isThenable } from '../untrusted.ts';
import { Busy, Problem, Unsupported } from './problem.ts';
import { Reply } from './reply.ts';
import { fromResponse, isResponse } from './to-reply.ts';

/** Turns an error into an answer. */
export type ErrorHandler<E> = (error: E, ctx: Context) => ErrorAnswer | Promise<ErrorAnswer>;

type ErrorAnswer = Problem | Response;

/** Who answers for which class of errors. The nearest class wins. */
export class ErrorHandlers {
  readonly #handlers = new Map<object, ErrorHandler<never>>();

  add<E>(target: abstract new (...args: never[]) => E, handler: ErrorHandler<E>): void {
    this.#handlers.set(target.prototype as object, handler as ErrorHandler<never>);
  }

  /** What the handler of the error's class says; `undefined` when there is none. */
  handle(error: unknown, ctx: Context): ErrorAnswer | Promise<ErrorAnswer> | undefined {
    if (this.#handlers.size === 0 || typeof error !== 'object') return undefined;
    for (let at = error; at !== null; at = Object.getPrototypeOf(at) as object | null) {
      const handler = this.#handlers.get(at);
      if (handler) return handler(error as never, ctx); // its prototype says that it is an E
    }
    return undefined;
  }
}

/**
 * The reply to a thrown value: what `onError` makes of it, else a problem. Faults that are not the
 * client's are logged, those of `onError` itself too. Neither throws nor rejects.
 */
export function toErrorReply(
  error: unknown,
  ctx: Context,
  handlers: ErrorHandlers,
): Reply | Promise<Reply> {
  try {
    const handled = handlers.handle(error, ctx);
    if (!isThenable(handled)) return toHandledReply(error, handled, ctx);
    return Promise.resolve(handled)
      .then((value) => toHandledReply(error, value, ctx))
      .catch((broken: unknown) => toBrokenHandlerReply(error, broken, ctx));
  } catch (broken) {
    return toBrokenHandlerReply(error, broken, ctx);
  }
}

function toHandledReply(error: unknown, handled: unknown, ctx: Context): Reply {
  if (isResponse(handled)) return fromResponse(handled);
  if (handled !== undefined && !(handled instanceof Problem)) {
    throw new ArgumentError('An onError handler must give a Problem or a Response.');
  }
  const final = handled ?? error;
  const reply = toProblemReply(final, ctx.path, ctx.id);
  if (reply.status >= 500 && !isInstance(final, Unsupported)) logFailure(error, ctx);
  return reply;
}

function toBrokenHandlerReply(error: unknown, broken: unknown, ctx: Context): Reply {
  logFailure(new ErrorHandlerError([error, broken]), ctx);
  return toProblemReply(undefined, ctx.path, ctx.id);
}

function logFailure(error: unknown, ctx: Context): void {
  ctx.log.error({ err: error, method: ctx.method, path: ctx.path }, 'request failed');
}

/** An `onError` handler threw. `errors` are what it was given, and what it threw. */
class ErrorHandlerError extends ThereafterError {
  readonly code = 'ERROR_HANDLER_FAILED';
  readonly errors: readonly [unknown, unknown];

  constructor(errors: readonly [unknown, unknown]) {
    super('An onError handler failed, so the client was told of neither error.');
    this.errors = errors;
  }
}

/**
 * The problem that a thrown value becomes when nobody makes something else of it. What a client may
 * see is decided here: the detail of a problem that is not a failure, and nothing of any other error.
 *
 * @param requestId - Sent along, so that a user's report can be matched with the log.
 */
export function toProblemReply(thrown: unknown, path: string, requestId: string): Reply {
  const problem = toProblem(thrown);
  const { type, title, status, extension, message, headers } = problem;
  const body = {
    type,
    title,
    status,
    detail: status < 500 || problem instanceof Unsupported ? message || undefined : HIDDEN,
    instance: path,
    requestId,
    ...extension,
  };
  const reply = new Reply(status, 'application/problem+json', JSON.stringify(body));
  for (const [name, value] of Object.entries(headers)) reply.headers.set(name, value);
  return reply;
}

/** All that is said of a fault that is not the client's. */
const HIDDEN = 'Something went wrong here. It has been logged.';

function toProblem(thrown: unknown): Problem {
  if (isInstance(thrown, Problem)) return thrown;
  if (isInstance(thrown, ThereafterError) && thrown.retryAfterSeconds !== undefined) {
    return new Busy(thrown.retryAfterSeconds);
  }
  return new Problem();
}
