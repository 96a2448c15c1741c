import { createContainer, type Container } from '@thereafter/di';
import type { JobEngine, Logger, Runnable } from '@thereafter/tasks';
import { Engine, type JobsOptions } from '../engine.ts';
import { Jobs } from '../jobs.ts';
import { memory } from './memory.ts';

/** What `testJobs()` takes: what `jobs()` takes, and what an app would have. */
export interface TestJobsOptions extends Omit<JobsOptions, 'driver'> {
  /** Default `memory()`. */
  readonly driver?: JobsOptions['driver'];
  /** The tasks whose jobs are stored and run. */
  readonly tasks: readonly Runnable[];
  /** Registers or overrides what the tasks need, before anything is planned. */
  readonly setup?: (container: Container) => void;
  /** Default one that keeps silent. */
  readonly log?: Logger;
}

/** Jobs without a server. Closing it drains the running jobs. */
export interface TestJobs extends AsyncDisposable {
  /** What handlers and tasks would inject. */
  readonly jobs: Jobs;
  /** What an app would be given. */
  readonly engine: JobEngine;
  /** Where the tasks get what they need from. */
  readonly container: Container;
  /**
   * Waits for running jobs, and hands back those that have not ended.
   *
   * @param timeoutMs - Longest wait; default 5,000.
   * @returns The names of the tasks of those that were handed back.
   */
  close(timeoutMs?: number): Promise<readonly string[]>;
}

/**
 * Starts an engine with tasks, in a container of its own.
 *
 * @throws What an app would throw at start, such as a `ScheduleError`.
 */
export async function testJobs({
  tasks,
  setup,
  log = QUIET,
  driver = memory(),
  ...options
}: TestJobsOptions): Promise<TestJobs> {
  const container = createContainer();
  const engine = new Engine({ driver, ...options });
  engine.register(container);
  setup?.(container);
  for (const task of tasks) engine.include(task, container);
  await container.start(Jobs);
  await engine.start({ container, log, isWorker: false });
  const close = async (timeoutMs = 5000): Promise<readonly string[]> => {
    const handedBack = await engine.close(timeoutMs);
    await container.close();
    return handedBack;
  };
  return {
    jobs: container.get(Jobs),
    engine,
    container,
    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };
}

const QUIET: Logger = { info: () => undefined, error: () => undefined };
