import { ThereafterError } from '@thereafter/di';
import type { JobEngine } from '@thereafter/tasks';
import { setMaxListeners } from 'node:events';
import { compile, type CompiledApp, type Registrations } from './compile.ts';
import { findParams } from './find-route.ts';
import { InFlight } from './in-flight.ts';
import { dispatch, handle } from './lifecycle.ts';
import { LONGEST_TIMER_MS, toAppLimits, type AppLimits, type Limits } from './limits.ts';
import type { AppLog } from './log.ts';
import { wrap, type Middleware } from './middleware.ts';
import type { ErrorHandlers } from './response/thrown.ts';
import type { Answer } from './socket/connection.ts';
import type { ProxyTrust } from './socket/forwarded.ts';
import type { RunningServer } from './socket/server.ts';

/** An app was used in a way that its state does not allow. */
export class AppStateError extends ThereafterError {
  readonly code: 'APP_CLOSED' | 'APP_STARTED' | 'APP_NOT_STARTED' | 'APP_WITHOUT_JOBS';

  constructor(code: AppStateError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

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
export type Open = (answer: Answer, limits: AppLimits) => Promise<RunningServer>;

/** What `close()` had to cut. */
export interface CloseResult {
  /**
   * Names of the background tasks that had not ended at the deadline, and requests whose answers were not
   * delivered by then, e.g. `GET /report`. Empty when nothing was lost.
   */
  readonly abandoned: readonly string[];
}

/** An app that starts, runs, and ends: what has begun, and how it ends. */
export class StartedApp {
  readonly #parts: AppParts;
  readonly #inFlight = new InFlight();
  readonly #stopping = new AbortController();
  readonly #lifespans: AsyncGenerator<void, void>[] = [];
  #starting: Promise<void> | undefined = undefined;
  #isOpen = false;
  #jobs: JobEngine | undefined = undefined;
  #server: RunningServer | undefined = undefined;
  #deadlineMs = 0;

  constructor(parts: AppParts) {
    this.#parts = parts;
    setMaxListeners(0, this.#stopping.signal); // one for each open event stream
  }

  /**
   * Compiles an app, builds its singletons, runs its lifespans and lets the requests in. If that fails, or
   * `close()` is called meanwhile, what had begun is ended before this rejects.
   *
   * @param isWorker - Whether jobs are run in any case, since the process serves no requests.
   * @throws {InvalidAppError} `APP_INVALID` with every fault.
   */
  start(open: Open, isWorker: boolean): Promise<void> {
    return (this.#starting = this.#start(open, isWorker));
  }

  async #start(open: Open, isWorker: boolean): Promise<void> {
    const limits = toAppLimits(this.#parts.limits);
    const compiled = await this.#compile(limits);
    try {
      await this.#begin(isWorker);
      this.#server = await open((req, res, refusal) => handle(compiled, req, res, refusal), limits);
      this.#stopping.signal.throwIfAborted();
      this.#parts.registrations.runner.start();
      this.#isOpen = true;
    } catch (error) {
      const stopped = this.#server?.stop();
      this.#server?.cut();
      await stopped;
      await this.#jobs?.close(0); // what it claimed meanwhile goes back
      await this.#cleanUp();
      throw error;
    }
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
      middleware,
      onion:
        middleware.length === 0 ? undefined : wrap(middleware, (ctx) => dispatch(compiled, ctx)),
      errorHandlers,
    };
    return compiled;
  }

  async #begin(isWorker: boolean): Promise<void> {
    const { lifespans, jobs, registrations, log } = this.#parts;
    for (const lifespan of lifespans) {
      this.#stopping.signal.throwIfAborted();
      const running = lifespan();
      await running.next();
      this.#lifespans.push(running);
    }
    this.#stopping.signal.throwIfAborted();
    await jobs?.start({ container: registrations.container, log, isWorker });
    this.#jobs = jobs;
    this.#stopping.signal.throwIfAborted();
  }

  /** Where it is to be reached from this machine; `undefined` until it has started. */
  get url(): string | undefined {
    return this.#isOpen ? this.#server?.url : undefined;
  }

  /** What would be lost if the process ended now: requests that are not answered, and background tasks. */
  get unfinished(): readonly string[] {
    if (!this.#isOpen) return [START];
    return [...this.#server!.unanswered(), ...this.#parts.registrations.runner.unfinished];
  }

  /**
   * Ends requests, then background tasks, then jobs, then lifespans and singletons. One deadline holds
   * for all of it. An app that has not started yet does not take its next step, and ends what had begun.
   *
   * @param timeoutMs - Longest wait, from now.
   */
  async close(timeoutMs: number): Promise<CloseResult> {
    this.#deadlineMs = performance.now() + timeoutMs;
    if (!this.#isOpen) return this.#giveUp();
    const { registrations, log } = this.#parts;
    const server = this.#server!; // it is open
    const stopped = server.stop();
    this.#jobs?.quiet();
    this.#stopping.abort(); // ends what would not end by itself: event streams
    // Not the same: a handler may still work for a client that has left.
    await within(this.#remainingMs, Promise.all([stopped, this.#inFlight.idle()]));
    const cut = server.unanswered();
    server.cut();
    if (cut.length > 0) log.error({ cut }, 'answers were cut');
    const tasks = await registrations.runner.close(this.#remainingMs);
    const handedBack = await this.#jobs?.close(this.#remainingMs);
    await stopped;
    if (handedBack?.length) log.info({ handedBack }, 'running jobs were handed back');

    await this.#cleanUp();
    return { abandoned: [...cut, ...tasks] };
  }

  async #giveUp(): Promise<CloseResult> {
    this.#stopping.abort(
      new AppStateError('APP_CLOSED', 'The app was closed before it had started.'),
    );
    const ended = this.#starting?.catch(() => undefined); // start() says why
    if (await within(this.#remainingMs + GRACE_MS, Promise.resolve(ended)))
      return { abandoned: [] };
    this.#parts.log.error('the app was still starting at the deadline, and was left');
    return { abandoned: [START] };
  }

  get #remainingMs(): number {
    return Math.max(0, this.#deadlineMs - performance.now());
  }

  /** Ends what has begun, in reverse order. What fails there is logged, and stops nothing else from ending. */
  async #cleanUp(): Promise<void> {
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
    if (await within(Math.max(GRACE_MS, this.#remainingMs), endAll())) return;
    log.error('clean-up at the end of the app took too long and was left');
  }
}

/** How a start that was cut is called. */
const START = 'the start of the app';

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
