import { isPromise, type Container } from '@thereafter/di';
import { currentTask, type Logger, type ThreadPool } from '@thereafter/tasks';
import { retryAfterOf } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { ErrorInfo, JobDriver, JobRecord, Outcome, RunningJob } from './driver.ts';
import { JobTimeoutError, StoredPayloadError, WorkerLostError } from './errors.ts';
import { publish } from './events.ts';
import { JobRun } from './job-run.ts';
import type { JobTask, JobTasks } from './job-tasks.ts';
import { toResultText } from './json.ts';
import { Quarantine } from './quarantine.ts';
import { Snooze } from './snooze.ts';
import type { Tracing } from './tracing.ts';

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

/** The life of one attempt, from the claim of the driver to the outcome that it settles. */
export class JobLifecycle {
  readonly #options: JobLifecycleOptions;
  readonly #quarantine = new Quarantine();

  constructor(options: JobLifecycleOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  async run(running: RunningJob): Promise<Outcome> {
    const { record } = running;
    const { tasks, tracing } = this.#options;
    const task = tasks.named(record.task);
    if (!task) return this.#postponeUnknown(record);
    if (record.crashes > 0) {
      if (isGivenUp(record)) {
        return this.#fail(record, new WorkerLostError(record.task, record.id, record.crashes));
      }
      const waitMs = this.#quarantine.enter(record.id, performance.now());
      if (waitMs > 0) return { type: 'snooze', delayMs: waitMs };
    }
    publish('started', record);
    const attempt = new JobRun(running, task, this.#options);
    const span = this.#trace(record, () => tracing?.start(record));
    try {
      const perform = (): Promise<unknown> => this.#perform(task, attempt);
      const returned = await this.#inTime(task, running, span ? span.run(perform) : perform());
      const result = toResultText(returned, record.task);
      this.#trace(record, () => span?.end());
      if (running.stopReason === 'handed-back') return handBack(running);
      publish('completed', record);
      return { type: 'complete', result };
    } catch (error) {
      const outcome = this.#classify(task, running, error);
      this.#trace(record, () => span?.end(outcome.type === 'snooze' ? undefined : error));
      return outcome;
    } finally {
      if (record.crashes > 0) this.#quarantine.leave(record.id);
    }
  }

  /** A job whose span cannot be begun or ended is run and settled all the same. */
  #trace<T>(record: JobRecord, call: () => T): T | undefined {
    try {
      return call();
    } catch (error) {
      this.#options.log.error({ err: error, ...toFields(record) }, 'the tracing of a job failed');
      return undefined;
    }
  }

  /** Checks the payload, builds what the task needs in a scope of its own, and calls it. */
  async #perform(task: JobTask, attempt: JobRun): Promise<unknown> {
    const { container } = this.#options;
    const payload: unknown = JSON.parse(attempt.record.payload);
    try {
      task.spec.check(payload);
    } catch (error) {
      throw new StoredPayloadError(task.spec.name, attempt.id, error as Error); // it throws nothing else
    }
    const scope = container.openScope(task.plan, attempt);
    const call = async (): Promise<unknown> => {
      const made = scope.run();
      const slots = isPromise(made) ? await made : made;
      const built = slots[task.plan.entries[0]!]; // the plan has one entry
      return await task.spec.call(built, payload, attempt);
    };
    let returned: unknown;
    try {
      // For lazy(), which finds the scope that is entered.
      const running = (): Promise<unknown> => currentTask.run(attempt, call);
      returned = await (container.tracksScopes ? container.enter(scope, running) : running());
    } catch (error) {
      if (scope.hasTeardowns) await scope.close({ error });
      throw error;
    }
    // Before the job counts as completed: a commit may fail here.
    if (scope.hasTeardowns) await scope.close();
    return returned;
  }

  /** The attempt's end, or its timeout: what it does after that is nobody's business. */
  async #inTime(task: JobTask, running: RunningJob, work: Promise<unknown>): Promise<unknown> {
    const { timeoutMs, name } = task.spec;
    if (timeoutMs === undefined) return await work;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const error = new JobTimeoutError(name, running.record.id, timeoutMs);
        running.abort(error);
        reject(error);
      }, timeoutMs);
    });
    try {
      return await Promise.race([work, timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Decides what becomes of a job that threw. */
  #classify(task: JobTask, running: RunningJob, error: unknown): Outcome {
    const { record, stopReason } = running;
    if (stopReason === 'handed-back') return handBack(running);
    if (error instanceof Snooze) {
      publish('snoozed', record, { delayMs: error.delayMs });
      return { type: 'snooze', delayMs: error.delayMs };
    }
    if (stopReason === 'cancelled') {
      publish('cancelled', record, { error });
      return { type: 'cancel' };
    }
    if (record.attempt >= record.attempts || !isRetryable(task, error)) {
      return this.#fail(record, error);
    }
    return this.#retry(task, record, error);
  }

  #retry(task: JobTask, record: JobRecord, error: unknown): Outcome {
    const { log, random } = this.#options;
    let delayMs: number;
    try {
      delayMs = retryAfterOf(error) ?? task.backoff(record.attempt, error, random());
    } catch (broken) {
      return this.#fail(record, broken); // a backoff function of the user
    }
    publish('retrying', record, { error, delayMs });
    log.info({ err: error, ...toFields(record), delayMs }, 'job failed, and is retried');
    return { type: 'retry', delayMs, error: this.#toErrorInfo(record, error) };
  }

  #fail(record: JobRecord, error: unknown): Outcome {
    publish('failed', record, { error });
    this.#options.log.error({ err: error, ...toFields(record) }, 'job failed');
    return { type: 'fail', error: this.#toErrorInfo(record, error) };
  }

  /**
   * A newer version of the program may have stored it, which will come for it: nothing is lost, and no
   * attempt used. The older the job, the longer it waits.
   */
  #postponeUnknown(record: JobRecord): Outcome {
    const { clock, log } = this.#options;
    const ageMs = clock.now() - record.enqueuedAtMs;
    const delayMs = Math.min(Math.max(ageMs / 2, 1000), 600_000);
    log.error(
      { ...toFields(record), delayMs },
      'job of a task that is not included: it waits for a process that knows the task',
    );
    return { type: 'snooze', delayMs: Math.round(delayMs) };
  }

  #toErrorInfo(record: JobRecord, error: unknown): ErrorInfo {
    const atMs = this.#options.clock.now();
    const { attempt } = record;
    if (!(error instanceof Error)) {
      return { name: 'Error', message: cut(`It threw ${describe(error)}`, 2000), attempt, atMs };
    }
    const { name, message, stack } = error;
    return {
      name,
      message: cut(String(message), 2000),
      stack: stack && cut(stack, 8000),
      attempt,
      atMs,
    };
  }
}

/** The driver has given it to others already: whatever this says is not settled. */
function handBack({ record, signal }: RunningJob): Outcome {
  publish('handedBack', record, { error: signal.reason });
  return { type: 'snooze', delayMs: 0 };
}

/** A crash uses an attempt; and a job that takes its worker with it every time does not get them all. */
function isGivenUp({ attempt, attempts, crashes }: JobRecord): boolean {
  return attempt > attempts || crashes >= MAX_CRASHES;
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

function toFields({ id, task, queue, attempt }: JobRecord): object {
  return { jobId: id, taskName: task, queue, attempt };
}

function describe(thrown: unknown): string {
  return typeof thrown === 'object' && thrown !== null ? 'an object' : String(thrown);
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}
