import { ArgumentError } from '@thereafter/di';
import type { CurrentTask, JobContext, Logger, ThreadPool } from '@thereafter/tasks';
import type { Attempt, JobDriver, JobRecord } from './driver.ts';

/** What an attempt may use of the engine that runs it. */
interface Means {
  readonly driver: JobDriver;
  readonly log: Logger;
  readonly threads: ThreadPool;
}

/** What the code of a job is told of its attempt. Most of it is made when the code asks for it. */
export class AttemptContext implements JobContext, CurrentTask {
  readonly record: JobRecord;
  readonly #attempt: Attempt;
  readonly #means: Means;
  /** That of the task, which is not the one in the record if the task was renamed since. */
  readonly #taskName: string;
  #log: Logger | undefined = undefined;
  /** The latest progress that is not stored, and the write that will take it along. */
  #progress = 0;
  #nextWrite: Promise<void> | undefined = undefined;
  #write: Promise<void> | undefined = undefined;

  constructor(attempt: Attempt, taskName: string, means: Means) {
    this.record = attempt.record;
    this.#attempt = attempt;
    this.#taskName = taskName;
    this.#means = means;
  }

  get id(): string {
    return this.record.id;
  }

  get attempt(): number {
    return this.record.attempt;
  }

  get scheduledFor(): Date | undefined {
    const { schedule } = this.record;
    return schedule ? new Date(schedule.forMs) : undefined;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  get threads(): ThreadPool {
    return this.#means.threads;
  }

  get log(): Logger {
    return (this.#log ??= withFields(this.#means.log, {
      jobId: this.id,
      taskName: this.#taskName,
      attempt: this.attempt,
    }));
  }

  /**
   * Resolves when the store has this or a later progress: what is said while a write is under way is
   * written after it, once.
   */
  progress(fraction: number): Promise<void> {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new ArgumentError(`Progress is a share from 0 to 1, and not ${fraction}.`);
    }
    this.#progress = fraction;
    return (this.#nextWrite ??= this.#writeAfter(this.#write));
  }

  async #writeAfter(previous: Promise<void> | undefined): Promise<void> {
    await previous;
    this.#write = this.#nextWrite;
    this.#nextWrite = undefined;
    try {
      await this.#means.driver.setProgress?.(this.record, this.#progress);
    } catch (error) {
      this.log.error({ err: error }, 'the progress of a job could not be stored');
    }
  }
}

function withFields(log: Logger, own: object): Logger {
  const merge = (fields: object | string): [object, string | undefined] =>
    typeof fields === 'string' ? [own, fields] : [{ ...own, ...fields }, undefined];
  return {
    info: (fields, message) => {
      const [all, text] = merge(fields);
      log.info(all, message ?? text);
    },
    error: (fields, message) => {
      const [all, text] = merge(fields);
      log.error(all, message ?? text);
    },
  };
}
