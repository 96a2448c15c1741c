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

/** So many background tasks wait that no more are taken. A client that is not told otherwise gets 503. */
export class TasksFullError extends ThereafterError {
  readonly code = 'TASKS_FULL';
  readonly maxPending: number;
  /** When trying again makes sense. */
  override readonly retryAfterSeconds = 1;

  constructor(taskName: string, maxPending: number) {
    super(
      `The background task ${taskName} was not added: ${maxPending} tasks wait already. ` +
        'Answer 503 so that the client comes back later, make the tasks faster, or raise tasks.maxPending.',
    );
    this.maxPending = maxPending;
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

/** A durable task meets an app that has no job engine to store it. */
export class JobEngineMissingError extends ThereafterError {
  readonly code = 'TASK_NEEDS_ENGINE';

  constructor(taskName: string) {
    super(
      `The task ${taskName} is durable, and the app has no job engine that could store it. ` +
        'Give the app one, createApp({ jobs }), or remove `durable: true`: then the task is lost when the process dies.',
    );
  }
}

/** The job store did not take tasks, and has none of them. A client that is not told otherwise gets 503. */
export class JobsNotStoredError extends ThereafterError {
  readonly code = 'JOBS_NOT_STORED';
  /** Without repetition. */
  readonly taskNames: readonly string[];
  /** When trying again makes sense. */
  override readonly retryAfterSeconds = 1;

  constructor(taskNames: readonly string[], options: { readonly cause: unknown }) {
    const { cause } = options;
    super(
      `${taskNames.join(', ')} could not be stored, and nothing was: ` +
        `${cause instanceof Error ? cause.message : String(cause)}`,
      options,
    );
    this.taskNames = taskNames;
  }
}

/** A task ran longer than it may. The reason of its signal. */
export class TaskTimeoutError extends ThereafterError {
  readonly code = 'TASK_TIMEOUT';
  readonly timeoutMs: number;

  constructor(taskName: string, timeoutMs: number) {
    super(
      `The background task ${taskName} did not end within ${timeoutMs} ms. Its signal is aborted, and ` +
        'the next task starts. Heed the signal, do less at once, or allow more time.',
    );
    this.timeoutMs = timeoutMs;
  }
}

/** The app closed before a task had ended. The reason of its signal. */
export class TaskAbandonedError extends ThereafterError {
  readonly code = 'TASK_ABANDONED';

  constructor(taskName: string) {
    super(
      `The background task ${taskName} had not ended at the deadline of the shutdown. Raise ` +
        'shutdown.drainTimeout, heed the signal, or make it a durable job.',
    );
  }
}

/** `inThread()` cannot do its work. */
export class ThreadError extends ThereafterError {
  readonly code: 'THREAD_NO_FUNCTION' | 'THREAD_NO_POOL' | 'THREAD_OUTSIDE_TASK';

  constructor(code: ThreadError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
