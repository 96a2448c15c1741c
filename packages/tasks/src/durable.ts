import { token, type Container, type Token } from '@thereafter/di';
import type { Logger, Runnable } from './task.ts';

/** A durable task that was added and is not stored yet. */
export interface PreparedJob {
  /** The id of the job that it becomes. */
  readonly id: string;
  readonly name: string;
  readonly payload: unknown;
}

/** What an engine gets of the app that it belongs to. */
export interface EngineHost {
  readonly container: Container;
  readonly log: Logger;
  /** Whether this process is a worker, and serves no requests: then it runs jobs in any case. */
  readonly isWorker: boolean;
}

/**
 * What a job engine fulfils, so that it and the server need not know each other.
 *
 * A task definition with `durable: true` belongs to one: it is stored before the response is written
 * and runs even if the process dies in between. As long as an app has no engine, its task runner
 * refuses such tasks (`TASK_NEEDS_ENGINE`) instead of running them as if they were not durable.
 */
export interface JobEngine {
  readonly kind: 'job-engine';
  /** Provides what can be injected. Called once, when the app is made. */
  register(container: Container): void;
  /** Plans a task that may become a job, so that what it cannot be given is reported at start. */
  include(task: Runnable, container: Container): void;
  /** Connects to the store and starts the workers. Called before the port opens. */
  start(host: EngineHost): Promise<void>;
  /**
   * Checks a payload and gives it an id. Nothing is stored.
   *
   * @throws {ThereafterError} When the payload could not be stored.
   */
  prepare(task: Runnable, payload: unknown): PreparedJob;
  /**
   * Stores jobs, all or none, and keeps them back until `release`.
   *
   * @returns Resolves when they would survive the death of the process. Rejects with
   *   `JobsNotStoredError`, and then none is stored.
   */
  store(jobs: readonly PreparedJob[]): Promise<void>;
  /** The response is over: stored jobs may run. Never rejects. */
  release(jobs: readonly PreparedJob[]): Promise<void>;
  /** Calls off jobs that were stored and not released. Never rejects. */
  withdraw(jobs: readonly PreparedJob[]): Promise<void>;
  /** Starts no more jobs; those that run go on. */
  quiet(): void;
  /**
   * Waits for the running jobs, then hands the rest back to the store, where the next process finds
   * them: nothing is lost. Never rejects.
   *
   * @param timeoutMs - Longest wait.
   * @returns The names of the tasks that were handed back.
   */
  close(timeoutMs: number): Promise<readonly string[]>;
}

/**
 * What an engine lets be seen and steered, of the app's engine; undefined in an app without one. For who
 * asks for it without knowing the engine, as the console does: an engine provides it in `register`.
 * That of `@thereafter/queue` is its `Jobs`.
 */
export const EngineAdmin: Token<unknown> = token('the administration of jobs', {
  default: () => undefined,
});
