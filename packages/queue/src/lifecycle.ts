import type { Container } from '@thereafter/di';
import { currentTask, type Logger, type ThreadPool } from '@thereafter/tasks';
import { AttemptContext } from './attempt-context.ts';
import { retryAfterOf } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Attempt, ErrorInfo, JobDriver, JobRecord, Verdict } from './driver.ts';
import {
  JobTimeoutError,
  readError,
  Snooze,
  StoredPayloadError,
  WorkerLostError,
} from './errors.ts';
import { publish, type AttemptEventName, type JobSpan, type Tracing } from './events.ts';
import type { JobTask, JobTasks } from './job-tasks.ts';
import { toResultText } from './json.ts';

/** How often a job may take its worker with it before it is given up, whatever its attempts. */
const MAX_CRASHES = 3;

export interface JobLifecycleOptions {
  readonly tasks: JobTasks;
  readonly driver: JobDriver;
  readonly container: Container;
  readonly log: Logger;
  readonly clock: Clock;
  readonly threads: ThreadPool;
  readonly tracing: Tracing | undefined;
  /** At least 0, less than 1. */
  readonly random: () => number;
}

/** What came of calling the task. */
type Tried = { readonly result: string | undefined } | { readonly error: unknown };

/** How an attempt ended. */
interface Ending {
  /** What the store is told; undefined when it gave the job to others already. */
  readonly verdict: Verdict | undefined;
  /** What is published once that is settled; undefined for a job that was put off without being run. */
  readonly event: AttemptEventName | undefined;
  readonly error?: unknown;
  /** In milliseconds since 1970. */
  readonly atMs: number;
}

/**
 * The life of one attempt. The store has claimed the job; `run` finds its task, or refuses it, begins,
 * calls the task in a scope, classifies what came of it, ends, settles and reports. The methods stand in
 * that order.
 */
export class JobLifecycle {
  readonly #options: JobLifecycleOptions;
  readonly #quarantine = new Quarantine();

  constructor(options: JobLifecycleOptions) {
    this.#options = options;
  }

  /** Runs a claimed job to its settled end. Never rejects. */
  async run(attempt: Attempt): Promise<void> {
    const { record } = attempt;
    try {
      let ending = this.#refuse(record);
      if (!ending) {
        const task = this.#options.tasks.named(record.task)!; // it was not refused
        const span = this.#begin(record);
        const tried = await this.#try(task, attempt, span);
        ending = this.#classify(task, attempt, tried);
        this.#end(record, span, ending);
      }
      const counts = ending.verdict !== undefined && (await attempt.settle(ending.verdict));
      this.#report(attempt, ending, counts);
    } catch (error) {
      this.#options.log.error({ err: error, ...fieldsOf(record) }, 'a job could not be settled');
    }
  }

  /** What becomes of a job that is not to be run now: nobody knows its task, or it lost its worker. */
  #refuse(record: JobRecord): Ending | undefined {
    if (!this.#options.tasks.named(record.task)) return this.#postpone(record);
    if (record.crashes === 0) return undefined;
    if (record.attempt > record.attempts || record.crashes >= MAX_CRASHES) {
      return this.#fail(record, new WorkerLostError(record.task, record.id, record.crashes));
    }
    const delayMs = this.#quarantine.enter(record.id, performance.now());
    return delayMs === 0 ? undefined : toEnding({ type: 'snooze', delayMs }, undefined);
  }

  /**
   * A newer version of the program may have stored it, which will come for it: nothing is lost, and no
   * attempt used. The older the job, the longer it waits.
   */
  #postpone(record: JobRecord): Ending {
    const { clock, log } = this.#options;
    const ageMs = clock.now() - record.enqueuedAtMs;
    const delayMs = Math.round(Math.min(Math.max(ageMs / 2, 1000), 600_000));
    log.error(
      { ...fieldsOf(record), delayMs },
      'job of a task that is not included: it waits for a process that knows the task',
    );
    return toEnding({ type: 'snooze', delayMs }, undefined);
  }

  /** Says that the attempt begins, and begins its span. */
  #begin(record: JobRecord): JobSpan | undefined {
    const { tracing } = this.#options;
    publish('started', record, Date.now());
    return tracing && this.#trace(record, () => tracing.start(record));
  }

  /** Calls the task in its span, until it ends or its time is over. Never rejects. */
  async #try(task: JobTask, attempt: Attempt, span: JobSpan | undefined): Promise<Tried> {
    try {
      const { name, timeoutMs } = task.spec;
      const call = (): Promise<unknown> => this.#call(task, attempt);
      const called = span ? span.run(call) : call();
      const returned = await (timeoutMs === undefined
        ? called
        : inTime(timeoutMs, attempt, name, called));
      return { result: toResultText(returned, name) };
    } catch (error) {
      return { error };
    }
  }

  /** Checks the payload, builds what the task needs in a scope of its own, and calls it there. */
  async #call(task: JobTask, attempt: Attempt): Promise<unknown> {
    const { container } = this.#options;
    const payload = readPayload(task, attempt.record);
    const context = new AttemptContext(attempt, task.spec.name, this.#options);
    const scope = container.openScope(task.plan, context);
    const call = async (): Promise<unknown> => {
      const slots = await scope.run();
      const built = slots[task.plan.entries[0]!]; // the plan has one entry
      return await task.spec.call(built, payload, context);
    };
    let returned: unknown;
    try {
      // For lazy(), which finds the scope that is entered.
      const entered = (): Promise<unknown> => currentTask.run(context, call);
      returned = await (container.tracksScopes ? container.enter(scope, entered) : entered());
    } catch (error) {
      if (scope.hasTeardowns) await scope.close({ error });
      throw error;
    }
    // Before the job counts as completed: a commit may fail here.
    if (scope.hasTeardowns) await scope.close();
    return returned;
  }

  /** Decides what becomes of the job. */
  #classify(task: JobTask, attempt: Attempt, tried: Tried): Ending {
    const { record, stopReason } = attempt;
    if ('result' in tried) {
      const complete = { type: 'complete', result: tried.result } as const;
      return toEnding(stopReason === 'handed-back' ? undefined : complete, 'completed');
    }
    const { error } = tried;
    if (stopReason === 'handed-back') return toEnding(undefined, undefined, error);
    if (error instanceof Snooze) {
      return toEnding({ type: 'snooze', delayMs: error.delayMs }, 'snoozed');
    }
    if (stopReason === 'cancelled') return toEnding({ type: 'cancel' }, 'cancelled', error);
    try {
      if (record.attempt >= record.attempts || !isRetryable(task, error)) {
        return this.#fail(record, error);
      }
      const delayMs =
        retryAfterOf(error) ?? task.backoff(record.attempt, error, this.#options.random());
      return toEnding(
        { type: 'retry', delayMs, error: this.#toErrorInfo(record, error) },
        'retrying',
        error,
      );
    } catch (broken) {
      return this.#fail(record, broken); // a backoff function of the user
    }
  }

  #fail(record: JobRecord, error: unknown): Ending {
    return toEnding({ type: 'fail', error: this.#toErrorInfo(record, error) }, 'failed', error);
  }

  #toErrorInfo({ attempt }: JobRecord, error: unknown): ErrorInfo {
    return { ...readError(error), attempt, atMs: this.#options.clock.now() };
  }

  /** Lets the next suspect in, and ends the span. A snooze is no failure to a trace. */
  #end(record: JobRecord, span: JobSpan | undefined, { verdict, error }: Ending): void {
    if (record.crashes > 0) this.#quarantine.leave(record.id);
    if (span) this.#trace(record, () => span.end(verdict?.type === 'snooze' ? undefined : error));
  }

  /** A job whose span cannot be begun or ended is run and settled all the same. */
  #trace<T>(record: JobRecord, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#options.log.error({ err: error, ...fieldsOf(record) }, 'the tracing of a job failed');
      return undefined;
    }
  }

  /** Tells what became of the job, now that the store has it. */
  #report(attempt: Attempt, { verdict, event, error, atMs }: Ending, counts: boolean): void {
    const { record, stopReason } = attempt;
    const { log } = this.#options;
    if (!counts && stopReason === 'handed-back') {
      publish('handedBack', record, atMs, attempt.signal.reason);
    } else if (!counts) {
      log.error(
        { err: error, ...fieldsOf(record) },
        'a job ended after its worker had been taken for lost: this end does not count',
      );
    } else if (event) {
      const delayMs = verdict && 'delayMs' in verdict ? verdict.delayMs : undefined;
      publish(event, record, atMs, error, delayMs);
      if (event === 'failed') log.error({ err: error, ...fieldsOf(record) }, 'job failed');
      if (event === 'retrying') {
        log.info({ err: error, ...fieldsOf(record), delayMs }, 'job failed, and is retried');
      }
    }
  }
}

/** The attempt's end, or its timeout: what it does after that is nobody's business. */
async function inTime(
  timeoutMs: number,
  attempt: Attempt,
  taskName: string,
  work: Promise<unknown>,
): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new JobTimeoutError(taskName, attempt.record.id, timeoutMs);
      attempt.abort(error);
      reject(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {StoredPayloadError} When it does not fit the schema, which may be newer than it. */
function readPayload(task: JobTask, { id, payload }: JobRecord): unknown {
  const value: unknown = JSON.parse(payload);
  try {
    task.spec.check(value);
    return value;
  } catch (error) {
    throw new StoredPayloadError(task.spec.name, id, error as Error); // it throws nothing else
  }
}

function toEnding(verdict: Ending['verdict'], event: Ending['event'], error?: unknown): Ending {
  return { verdict, event, error, atMs: Date.now() };
}

function isRetryable(task: JobTask, error: unknown): boolean {
  if (error instanceof StoredPayloadError || isOwnFault(error)) return false;
  const { retryable } = task.spec.options;
  if (retryable) {
    try {
      return retryable(error);
    } catch {
      return true; // a broken predicate must not cost a job its attempts
    }
  }
  return (error as { retryable?: unknown } | null | undefined)?.retryable !== false;
}

/** A result that cannot be stored: the work is done, and would only end the same way again. */
function isOwnFault(error: unknown): boolean {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return code === 'JOB_RESULT_NOT_JSON' || code === 'JOB_RESULT_TOO_LARGE';
}

function fieldsOf({ id, task, queue, attempt }: JobRecord): object {
  return { jobId: id, taskName: task, queue, attempt };
}

/**
 * Jobs whose worker was lost while they ran: one of them may be the cause. They are run one at a time in
 * a process, so that the culprit, when it strikes again, takes none of the others with it.
 */
export class Quarantine {
  #inside: { readonly id: string; readonly sinceMs: number } | undefined = undefined;

  /**
   * Lets a job in, if none is.
   *
   * @returns How long it should wait before it asks again, in milliseconds; 0 when it is in. The longer
   *   the one inside has been running, the longer.
   */
  enter(id: string, nowMs: number): number {
    if (!this.#inside) {
      this.#inside = { id, sinceMs: nowMs };
      return 0;
    }
    return Math.min(Math.max(Math.round(nowMs - this.#inside.sinceMs), MIN_WAIT_MS), MAX_WAIT_MS);
  }

  leave(id: string): void {
    if (this.#inside?.id === id) this.#inside = undefined;
  }
}

const MIN_WAIT_MS = 20;
const MAX_WAIT_MS = 5000;
