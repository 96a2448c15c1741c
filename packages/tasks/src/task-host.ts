import type { ResponseEnd } from './outcome.ts';
import type { Logger } from './task.ts';

/** What the tasks of a request need to know of it. A server implements it for each of its requests. */
export interface TaskHost extends ResponseEnd {
  /** Names the request in logs and events; asked only when one of them needs it. */
  readonly id: string;
  readonly log: Logger;
  /** Whether the handler has settled and its reply is written. */
  readonly isAnswered: boolean;
  /** Sees to it that `outcome` is set when the response is over. Called for each task. */
  watch(): void;
}
