import type { Logger } from '@thereafter/tasks';
import type { Clock } from '../clock.ts';
import type { JobEvent } from '../driver.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Presence } from './presence.ts';
import type { Sql } from './sql.ts';

/** What the parts of the driver share while the file is open. */
export interface OpenStore {
  readonly sql: Sql;
  readonly commit: GroupCommit;
  readonly presence: Presence;
  readonly clock: Clock;
  readonly log: Logger;
  /** The place of a job that becomes available now: never before one that did so earlier. */
  readyAtMs(): number;
  /** A job waits for that time, and that is committed. */
  scheduled(runAtMs: number): void;
  /** A job is in a new state, and that is committed. */
  moved(job: { readonly id: string; readonly queue: string }, to: JobEvent['type']): void;
}
