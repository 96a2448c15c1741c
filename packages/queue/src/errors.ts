import { ThereafterError } from '@thereafter/di';
import { toMilliseconds, type Duration } from '@thereafter/tasks';

/** Somebody cancelled the job while it ran. The reason of its signal. */
export class JobCancelledError extends ThereafterError {
  readonly code = 'JOB_CANCELLED';

  constructor(task: string, id: string) {
    super(
      `The job ${id} (${task}) was cancelled while it ran. End it soon: nobody wants its result.`,
    );
  }
}

/** The process ends before the job does. The reason of its signal. */
export class JobHandedBackError extends ThereafterError {
  readonly code = 'JOB_HANDED_BACK';

  constructor(task: string, id: string) {
    super(
      `The job ${id} (${task}) had not ended at the deadline of the shutdown. It is handed back, and runs ` +
        'again from its start elsewhere. Heed the signal, or raise shutdown.drainTimeout.',
    );
  }
}

/** One attempt ran longer than it may. The reason of its signal, and the error of the attempt. */
export class JobTimeoutError extends ThereafterError {
  readonly code = 'JOB_TIMEOUT';
  /** The `timeout` of its task. */
  readonly timeoutMs: number;

  constructor(task: string, id: string, timeoutMs: number) {
    super(
      `The job ${id} (${task}) did not end within ${timeoutMs} ms. Its signal is aborted, and what it still ` +
        'does counts no more. Heed the signal, do less at once, or allow more time.',
    );
    this.timeoutMs = timeoutMs;
  }
}

/** The process that ran the job died, or gave no sign of life, and no attempt is left. */
export class WorkerLostError extends ThereafterError {
  readonly code = 'JOB_WORKER_LOST';
  /** How often its worker was lost while it ran. */
  readonly crashes: number;

  constructor(task: string, id: string, crashes: number) {
    super(
      `The job ${id} (${task}) is not run again: its worker was lost ${crashes} times while it ran. Find out ` +
        'whether it is the job that ends the process, by memory or a native crash say; then retry() it.',
    );
    this.crashes = crashes;
  }
}

/** A stored payload does not fit the schema that its task has now. The job fails without being run. */
export class StoredPayloadError extends ThereafterError {
  readonly code = 'JOB_PAYLOAD_OUTDATED';

  constructor(task: string, id: string, cause: Error) {
    super(
      `The payload of job ${id} (${task}) was stored by another version of the program, and does not fit ` +
        `the schema of now: ${cause.message} Let the schema accept both, and retry() the job.`,
      { cause },
    );
  }
}

/** Thrown for a payload or a result that would not be the same after a round trip through JSON. */
export class NotJsonError extends ThereafterError {
  readonly code: 'JOB_PAYLOAD_NOT_JSON' | 'JOB_RESULT_NOT_JSON';
  /** Where it is, e.g. `/user/born`; empty for the whole. */
  readonly path: string;

  constructor(code: NotJsonError['code'], what: string, path: string, problem: string) {
    super(
      `${what} cannot be stored as JSON: ${path === '' ? 'it' : path} is ${problem}. Use strings, finite ` +
        'numbers, booleans, null, arrays and plain objects; write a date as a string.',
    );
    this.code = code;
    this.path = path;
  }
}

/** Thrown for a payload or a result that is larger than what is stored. */
export class TooLargeError extends ThereafterError {
  readonly code: 'JOB_PAYLOAD_TOO_LARGE' | 'JOB_RESULT_TOO_LARGE';
  /** Most bytes that are stored, as JSON in UTF-8. */
  readonly limitBytes: number;
  /** How many there were. */
  readonly sizeBytes: number;

  constructor(code: TooLargeError['code'], what: string, limitBytes: number, sizeBytes: number) {
    super(
      `${what} has ${sizeBytes} bytes as JSON, and at most ${limitBytes} are stored. Put the data where it ` +
        'belongs, a file or a table, and let the job carry its name.',
    );
    this.code = code;
    this.limitBytes = limitBytes;
    this.sizeBytes = sizeBytes;
  }
}

/** Thrown for a job of a task that the app does not know. */
export class TaskNotIncludedError extends ThereafterError {
  readonly code = 'JOB_TASK_NOT_INCLUDED';

  constructor(task: string) {
    super(
      `No job of task ${task} can be stored: it was not included, so nothing would run it. Add it to ` +
        'include() before the app starts.',
    );
  }
}

/** Thrown when two tasks have one name: of a stored job nobody could say whose it is. */
export class TaskNameTakenError extends ThereafterError {
  readonly code = 'JOB_TASK_NAME_TAKEN';

  constructor(name: string) {
    super(
      `Two tasks are named ${name}, as their name or as an alias. Jobs are stored with the name of their ` +
        'task, so give one of them another: @Task(schema, { name }).',
    );
  }
}

/** Thrown for a schedule that cannot work, before the app starts. */
export class ScheduleError extends ThereafterError {
  readonly code = 'JOB_SCHEDULE_INVALID';

  constructor(task: string, problem: string, options?: ErrorOptions) {
    super(`The schedule of task ${task} cannot be used: ${problem}`, options);
  }
}

/** Thrown when jobs are asked for before the app has started, or after it has closed. */
export class JobsStateError extends ThereafterError {
  readonly code: 'JOBS_CLOSED' | 'JOBS_NOT_STARTED';

  constructor(code: JobsStateError['code']) {
    super(
      code === 'JOBS_CLOSED'
        ? 'The app is closed, and its job store with it. Await what needs jobs before the end.'
        : 'The job store is not open before the app has started. Use jobs from a handler, a task or a lifespan.',
    );
    this.code = code;
  }
}

/** Thrown when the driver cannot do what is asked. */
export class JobsUnsupportedError extends ThereafterError {
  readonly code = 'JOBS_UNSUPPORTED';

  constructor(driver: string, what: string) {
    super(`The job driver ${driver} cannot ${what}. Use one that can, or do without.`);
  }
}

/** Thrown by `wait()` when the job has not ended in time. The job goes on. */
export class JobWaitError extends ThereafterError {
  readonly code = 'JOB_WAIT_TIMEOUT';

  constructor(id: string, timeoutMs: number) {
    super(
      `The job ${id} had not ended after ${timeoutMs} ms. It goes on; wait again, or ask for its state.`,
    );
  }
}

/** Thrown by `wait()` for a job that does not exist, or no longer. */
export class JobUnknownError extends ThereafterError {
  readonly code = 'JOB_UNKNOWN';

  constructor(id: string) {
    super(`There is no job ${id}: it never was, it was removed, or the time to keep it is over.`);
  }
}

/**
 * Thrown by a job that should not be tried again: it fails at this attempt.
 *
 * @example throw new NotRetryable('the card was stolen', { cause: error });
 */
export class NotRetryable extends ThereafterError {
  readonly code = 'JOB_NOT_RETRYABLE';
  /** Asked of every error: false means that another attempt is of no use. */
  readonly retryable = false;
}

/**
 * Thrown by a job that comes back later: it did not fail, and the attempt does not count.
 *
 * @example if (!(await report.isReady())) throw new Snooze('10m');
 */
export class Snooze extends ThereafterError {
  readonly code = 'JOB_SNOOZED';
  /** In how long it comes back. */
  readonly delayMs: number;

  /** @throws {ArgumentError} When the delay is not a duration. */
  constructor(delay: Duration) {
    super(`The job comes back in ${delay}.`);
    this.delayMs = toMilliseconds(delay);
  }
}

/** What was thrown, as far as it can be read: getters may throw. What is long is cut. */
export function readError(thrown: unknown): {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
} {
  try {
    if (thrown instanceof Error) {
      const { name, message, stack } = thrown;
      return { name, message: cut(String(message), 2000), stack: stack && cut(stack, 8000) };
    }
    const text = typeof thrown === 'object' && thrown !== null ? 'an object' : String(thrown);
    return { name: 'Error', message: cut(`It threw ${text}`, 2000) };
  } catch {
    return { name: 'Error', message: 'It threw something that cannot be read' };
  }
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
