import type { JobEngine } from '@thereafter/tasks';
import { setMaxListeners } from 'node:events';
import type { RequestListener } from 'node:http';
import { compile, type CompiledApp, type Registrations } from './compile.ts';
import { findParams } from './find-route.ts';
import { InFlight } from './in-flight.ts';
import { dispatch, handle } from './lifecycle.ts';
import { toAppLimits, type AppLimits, type Limits } from './limits.ts';
import type { AppLog } from './log.ts';
import { wrap, type Middleware } from './middleware.ts';
import type { ErrorHandlers } from './response/thrown.ts';
import type { ProxyTrust } from './socket/client-address.ts';
import type { RunningServer } from './socket/server.ts';

/** What an app consists of when it starts. */
export interface AppParts {
  readonly registrations: Registrations;
  readonly middleware: readonly Middleware[];
  readonly errorHandlers: ErrorHandlers;
  readonly lifespans: readonly (() => AsyncGenerator<void, void>)[];
  readonly jobs: JobEngine | undefined;
  readonly limits: Limits | undefined;
  readonly log: AppLog;
  readonly trustsProxy: ProxyTrust;
}

/** How an app gets its requests: given what answers them, starts whatever brings them. */
export type Open = (listener: RequestListener, limits: AppLimits) => Promise<RunningServer>;

/** What `close()` had to cut. */
export interface CloseResult {
  /**
   * Names of the background tasks that had not ended at the deadline, and requests whose answers were not
   * delivered by then, e.g. `GET /report`. Empty when nothing was lost.
   */
  readonly abandoned: readonly string[];
}

/** An app that runs: what has begun, and how it ends. */
export class StartedApp {
  readonly #parts: AppParts;
  readonly #inFlight = new InFlight();
  readonly #stopping = new AbortController();
  readonly #lifespans: AsyncGenerator<void, void>[] = [];
  #jobs: JobEngine | undefined = undefined;
  #server: RunningServer | undefined = undefined;

  private constructor(parts: AppParts) {
    this.#parts = parts;
    setMaxListeners(0, this.#stopping.signal); // one for each open event stream
  }

  /**
   * Compiles an app, builds its singletons, runs its lifespans and lets the requests in. If that fails,
   * what had begun is ended before this rejects.
   *
   * @param isWorker - Whether jobs are run in any case, since the process serves no requests.
   * @throws {InvalidAppError} `APP_INVALID` with every fault.
   */
  static async start(parts: AppParts, open: Open, isWorker: boolean): Promise<StartedApp> {
    const limits = toAppLimits(parts.limits);
    const started = new StartedApp(parts);
    const compiled = await started.#compile(limits);
    try {
      await started.#begin(isWorker);
      started.#server = await open((req, res) => handle(compiled, req, res), limits);
    } catch (error) {
      await started.#jobs?.close(0); // what it claimed meanwhile goes back
      await started.#cleanUp(0);
      throw error;
    }
    return started;
  }

  async #compile(limits: AppLimits): Promise<CompiledApp> {
    const { registrations, middleware, errorHandlers, log, trustsProxy } = this.#parts;
    const router = await compile(registrations);
    const compiled: CompiledApp = {
      router,
      findParams: (method, target) => findParams(router, method, target),
      runner: registrations.runner,
      log,
      inFlight: this.#inFlight,
      stopping: this.#stopping.signal,
      trustsProxy,
      limits,
      onion:
        middleware.length === 0 ? undefined : wrap(middleware, (ctx) => dispatch(compiled, ctx)),
      errorHandlers,
    };
    return compiled;
  }

  async #begin(isWorker: boolean): Promise<void> {
    const { lifespans, jobs, registrations, log } = this.#parts;
    for (const lifespan of lifespans) {
      const running = lifespan();
      await running.next();
      this.#lifespans.push(running);
    }
    await jobs?.start({ container: registrations.container, log, isWorker });
    this.#jobs = jobs;
  }

  /** Where it is to be reached from this machine. */
  get url(): string {
    return this.#server!.url; // start() has opened it
  }

  /**
   * Ends requests, then background tasks, then jobs, then lifespans and singletons. One deadline holds
   * for all of it.
   *
   * @param timeoutMs - Longest wait, from now.
   */
  async close(timeoutMs: number): Promise<CloseResult> {
    const { registrations, log } = this.#parts;
    const server = this.#server!; // start() has opened it
    const deadlineMs = performance.now() + timeoutMs;
    const remainingMs = (): number => Math.max(0, deadlineMs - performance.now());
    const stopped = server.stop();
    this.#jobs?.quiet();
    this.#stopping.abort(); // ends what would not end by itself: event streams
    // Not the same: a handler may still work for a client that has left.
    await within(remainingMs(), Promise.all([stopped, this.#inFlight.idle()]));
    const cut = server.cut();
    const tasks = await registrations.runner.close(remainingMs());
    const handedBack = await this.#jobs?.close(remainingMs());
    await stopped;
    if (cut.length > 0) log.error({ cut }, 'answers were cut');
    if (tasks.length > 0) log.error({ abandoned: tasks }, 'background tasks were abandoned');
    if (handedBack?.length) log.info({ handedBack }, 'running jobs were handed back');

    await this.#cleanUp(remainingMs());
    return { abandoned: [...cut, ...tasks] };
  }

  /** Ends what has begun, in reverse order. What fails there is logged, and stops nothing else from ending. */
  async #cleanUp(remainingMs: number): Promise<void> {
    const { registrations, log } = this.#parts;
    const survive = async (end: () => Promise<unknown>): Promise<void> => {
      try {
        await end();
      } catch (error) {
        log.error({ err: error }, 'clean-up at the end of the app failed');
      }
    };
    const endAll = async (): Promise<void> => {
      for (const lifespan of this.#lifespans.toReversed()) await survive(() => lifespan.next());
      await survive(() => registrations.container.close());
    };
    if (await within(Math.max(GRACE_MS, remainingMs), endAll())) return;
    log.error('clean-up at the end of the app took too long and was left');
  }
}

/** What clean-up gets when the deadline has passed: enough to be fair, and bounded, since it may hang. */
const GRACE_MS = 400;

/** Waits for work, but no longer than this. @returns Whether it ended. */
async function within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(late.resolve, Math.min(timeoutMs, LONGEST_TIMER_MS), false as const);
  try {
    return await Promise.race([work.then(() => true), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A timer of Node fires at once beyond this: 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
