import type { JobRecord, StopReason } from './driver.ts';
import { JobCancelledError, JobHandedBackError } from './errors.ts';

/** One attempt under way: what a driver hands to the engine, and how it tells it to stop. */
export class RunningJob {
  readonly record: JobRecord;
  #stopReason: StopReason | undefined = undefined;
  #controller: AbortController | undefined = undefined;
  #error: Error | undefined = undefined;

  constructor(record: JobRecord) {
    this.record = record;
  }

  /** Why the driver wants it to stop; undefined as long as it does not. */
  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** Made when somebody asks for it, which most jobs do not. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#error) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  /** Tells the job to stop, which it may ignore. The first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopReason) return;
    this.#stopReason = reason;
    const { task, id } = this.record;
    this.abort(
      reason === 'cancelled' ? new JobCancelledError(task, id) : new JobHandedBackError(task, id),
    );
  }

  /** Aborts the signal, unless it has been. */
  abort(error: Error): void {
    this.#error ??= error;
    this.#controller?.abort(this.#error);
  }
}
