import { ArgumentError, type Failure } from '@thereafter/di';

/** How a response ended: handed to the operating system, left by the client, or broken by its own body. */
export type Outcome = 'sent' | 'aborted' | 'failed';

/**
 * When a task runs, once the response is over.
 *
 * - `return` the handler returned, whatever the status, even if the client has left
 * - `sent` the response was handed to the operating system
 * - `error` the handler threw
 * - `always` in every case
 */
export type RunOn = 'return' | 'sent' | 'error' | 'always';

const RUN_ON: readonly RunOn[] = ['return', 'sent', 'error', 'always'];

/** @throws {ArgumentError} For a word that is none of them. */
export function assertRunOn(on: RunOn): void {
  if (RUN_ON.includes(on)) return;
  throw new ArgumentError(`A task runs on ${RUN_ON.join(', ')}, and not on '${String(on)}'.`);
}

/** What decides about tasks when a response is over. */
export interface ResponseEnd {
  /** How it ended; `undefined` until then. */
  readonly outcome: Outcome | undefined;
  /** What the handler, or something before it, threw; `undefined` if nothing was. */
  readonly failure: Failure | undefined;
}

/**
 * Whether a task may run after a response that ended in this way. What was added once the request had
 * failed, by an error handler for example, counts as `return` too.
 */
export function mayRun(
  { on, isAfterFailure }: { readonly on: RunOn; readonly isAfterFailure: boolean },
  { outcome, failure }: ResponseEnd,
): boolean {
  switch (on satisfies RunOn) {
    case 'return':
      return failure === undefined || isAfterFailure;
    case 'sent':
      return outcome === 'sent';
    case 'error':
      return failure !== undefined;
    case 'always':
      return true;
  }
}
