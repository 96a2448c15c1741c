import { ThereafterError } from '@thereafter/di';

/** The app no longer takes background tasks, because it is closed. */
export class TasksClosedError extends ThereafterError {
  readonly code = 'TASKS_CLOSED';

  constructor(taskName: string) {
    super(
      `The background task ${taskName} was added after the app had closed, so nothing would run it. ` +
        'Await what must happen before the end, or enqueue a durable job.',
    );
  }
}

/** A payload does not fit the schema of its task. */
export class PayloadError extends ThereafterError {
  readonly code = 'TASK_PAYLOAD';
  /** Where and why, e.g. `/userId must be integer`. */
  readonly faults: readonly string[];

  constructor(taskName: string, faults: readonly string[]) {
    super(
      `The payload of task ${taskName} does not fit its schema: ${faults.join('; ')}. Nothing was added.`,
    );
    this.faults = faults;
  }
}
