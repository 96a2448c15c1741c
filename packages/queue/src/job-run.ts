import type { CurrentTask, JobContext, Logger, ThreadPool } from '@thereafter/tasks';
import type { JobDriver, JobRecord, RunningJob } from './driver.ts';
import type { JobTask } from './job-tasks.ts';

/** What a job is told of its run. Most of it is made when the job asks for it. */
export class JobRun implements JobContext, CurrentTask {
  readonly record: JobRecord;
  readonly #running: RunningJob;
  readonly #host: {
    readonly driver: JobDriver;
    readonly log: Logger;
    readonly threads: ThreadPool;
  };
  readonly #name: string;
  #log: Logger | undefined = undefined;
  /** The latest progress that is not stored, and the write that will take it along. */
  #progress = 0;
  #nextWrite: Promise<void> | undefined = undefined;
  #write: Promise<void> | undefined = undefined;

  constructor(
    running: RunningJob,
    task: JobTask,
    host: { readonly driver: JobDriver; readonly log: Logger; readonly threads: ThreadPool },
  ) {
    this.record = running.record;
    this.#running = running;
    this.#host = host;
    this.#name = task.spec.name;
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
    return this.#running.signal;
  }

  get threads(): ThreadPool {
    return this.#host.threads;
  }

  get log(): Logger {
    return (this.#log ??= withFields(this.#host.log, {
      jobId: this.id,
      taskName: this.#name,
      attempt: this.attempt,
    }));
  }

  /**
   * Resolves when the store has this or a later progress: what is said while a write is under way is
   * written after it, once.
   */
  progress(fraction: number): Promise<void> {
    if (!(fraction >= 0 && fraction <= 1)) {
      throw new TypeError(`Progress is a share from 0 to 1, and not ${fraction}.`);
    }
    this.#progress = fraction;
    return (this.#nextWrite ??= this.#writeAfter(this.#write));
  }

  async #writeAfter(previous: Promise<void> | undefined): Promise<void> {
    await previous;
    this.#write = this.#nextWrite;
    this.#nextWrite = undefined;
    try {
      await this.#host.driver.setProgress?.(this.record, this.#progress);
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
