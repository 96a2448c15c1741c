import {
  createContainer,
  ThereafterError,
  type Class,
  type Container,
  type Provision,
  type Token,
} from '@thereafter/di';
import type { Method } from '@thereafter/router';
import {
  TaskRunner,
  taskSpecOf,
  toMilliseconds,
  type Duration,
  type Runnable,
  type TaskDefinition,
  type TaskErrorHandler,
} from '@thereafter/tasks';
import type { RequestListener } from 'node:http';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { compile, type CompiledApp } from './compile.ts';
import type { Context } from './context.ts';
import type { Inputs, Values } from './handler/inputs.ts';
import { dispatch, handle, watchEnd } from './lifecycle.ts';
import { createLog, type AppLog } from './log.ts';
import { wrap, type Middleware } from './middleware.ts';
import { ErrorHandlers, type ErrorHandler } from './response/error-handlers.ts';
import {
  controllerRoutes,
  functionRoute,
  type Out,
  type Returned,
  type Route,
  type RouteOptions,
} from './route.ts';
import { onSignals } from './shutdown.ts';
import { startServer, type ListenOptions, type RunningServer } from './socket/server.ts';

export interface AppOptions {
  /** Shown in logs and documentation; default `'app'`. */
  readonly title?: string;
  /** Of the app, for its documentation. */
  readonly version?: string;
  /** Whether lines are logged; default true. */
  readonly logger?: boolean;
  readonly shutdown?: {
    /** Longest wait of `close()` for requests and tasks; default `'10s'`. */
    readonly drainTimeout?: Duration;
    /** Whether SIGTERM and SIGINT close the app and end the process; default true. */
    readonly signals?: boolean;
  };
}

/** What `close()` had to cut. */
export interface CloseResult {
  /** Names of the background tasks that had not ended at the deadline; empty when nothing was lost. */
  readonly abandoned: readonly string[];
}

/** A controller class, a task class or a task definition. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any payload
type Part = Class | TaskDefinition<any>;

type HandlerResult<O> = Returned<Out<O>> | Promise<Returned<Out<O>>>;

/** Declares a route whose handler is a function of a record. */
export interface AddRoute {
  (path: string, handler: (values: { ctx: Context }) => HandlerResult<unknown>): App;
  <const O extends RouteOptions & { readonly in?: Inputs }>(
    path: string,
    options: O,
    handler: (
      values: (O extends { in: infer I extends Inputs } ? Values<I> : unknown) & { ctx: Context },
    ) => HandlerResult<O>,
  ): App;
}

/** An app was used in a way that its state does not allow. */
export class AppStateError extends ThereafterError {
  readonly code: 'APP_STARTED' | 'APP_NOT_STARTED';

  constructor(code: AppStateError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Makes an app. Register what it answers, then `listen()`. */
export function createApp(options: AppOptions = {}): App {
  return new App(options);
}

/** How an app gets its requests: given what answers them, starts whatever brings them. */
export type Open = (listener: RequestListener) => Promise<RunningServer>;

/** What `thereafter/testing` works with. */
export interface AppParts {
  readonly container: Container;
  readonly runner: TaskRunner;
  /** `listen()` by other means, and without signals. */
  readonly start: (open: Open) => Promise<{ readonly url: string }>;
}

/** @internal The parts of an app. Set by its class, which alone can reach them. */
export let partsOf: (app: App) => AppParts;

/** Registers, starts and stops; what happens to a request in between stands in `lifecycle.ts`. */
export class App implements AsyncDisposable {
  static {
    partsOf = (app) => ({
      container: app.#container,
      runner: app.#runner,
      start: (open) => app.#start(open),
    });
  }

  readonly get: AddRoute = this.#verb('GET');
  readonly post: AddRoute = this.#verb('POST');
  readonly put: AddRoute = this.#verb('PUT');
  readonly patch: AddRoute = this.#verb('PATCH');
  readonly delete: AddRoute = this.#verb('DELETE');

  readonly #options: AppOptions;
  readonly #log: AppLog;
  readonly #container: Container = createContainer();
  readonly #runner: TaskRunner;
  readonly #routes: Route[] = [];
  readonly #tasks: Runnable[] = [];
  readonly #middleware: Middleware[] = [];
  readonly #errorHandlers = new ErrorHandlers();
  readonly #lifespans: (() => AsyncGenerator<void, void>)[] = [];
  readonly #running: AsyncGenerator<void, void>[] = [];
  readonly #stopping = new AbortController();
  #isStarted = false;
  #server: RunningServer | undefined;
  #stopListeningToSignals: (() => void) | undefined;
  #closing: Promise<CloseResult> | undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stopping.signal); // one for each open event stream
    this.#log = createLog(options.logger ?? true);
    this.#runner = new TaskRunner({
      container: this.#container,
      log: this.#log,
    });
  }

  #verb(method: Method): AddRoute {
    return (path: string, ...rest: unknown[]) => {
      const [options, handler] = rest.length === 1 ? [{}, rest[0]] : rest;
      this.#assertNotStarted();
      // AddRoute has checked both.
      this.#routes.push(
        functionRoute(method, path, options as RouteOptions, handler as (values: never) => unknown),
      );
      return this;
    };
  }

  /**
   * Adds controllers and tasks, controllers optionally below a prefix.
   *
   * @throws {TypeError} For a class that is neither.
   */
  include(...parts: Part[]): this;
  include(prefix: string, ...controllers: Class[]): this;
  include(first: string | Part, ...rest: Part[]): this {
    this.#assertNotStarted();
    const [prefix, parts] = typeof first === 'string' ? [first, rest] : ['', [first, ...rest]];
    for (const part of parts) {
      if (taskSpecOf(part)) this.#tasks.push(part as Runnable);
      else this.#routes.push(...controllerRoutes(part as Class, prefix)); // which refuses what is none
    }
    return this;
  }

  /** Says how a token or class gets its value. The last word counts. */
  provide<T>(key: Token<T> | Class<T>, how: Provision<T>): this {
    this.#assertNotStarted();
    this.#container.provide(key, how);
    return this;
  }

  /** Wraps every request, unknown paths included. The first one added is outermost. */
  use(middleware: Middleware): this {
    this.#assertNotStarted();
    this.#middleware.push(middleware);
    return this;
  }

  /**
   * Says what is answered when an error of a class is thrown; the nearest class wins. A handler that
   * itself fails is logged, and the answer is a plain 500.
   */
  onError<E>(target: abstract new (...args: never[]) => E, handler: ErrorHandler<E>): this {
    this.#assertNotStarted();
    this.#errorHandlers.add(target, handler);
    return this;
  }

  /**
   * Runs around the life of the app: up to its `yield` before the port opens, the rest when requests
   * and tasks are drained, before the singletons end. The last one added ends first.
   */
  lifespan(run: () => AsyncGenerator<void, void>): this {
    this.#assertNotStarted();
    this.#lifespans.push(run);
    return this;
  }

  /** Is told of background tasks that fail; default: a line in the log. */
  onTaskError(handler: TaskErrorHandler): this {
    this.#runner.onError = handler;
    return this;
  }

  /** Background tasks of all requests. */
  get tasks(): {
    /** Tasks that were added and have not ended. */
    readonly pending: number;
    /** Waits until no task is left, those included that tasks add. */
    settled(): Promise<void>;
  } {
    return this.#runner;
  }

  /**
   * Checks everything that was registered, builds the singletons and opens the port.
   *
   * @throws {InvalidAppError} `APP_INVALID` with every fault, before the port opens.
   * @throws {ListenError} `LISTEN_FAILED` when the port is taken.
   */
  async listen(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    const { title = 'app', shutdown } = this.#options;
    const { url } = await this.#start((listener) => startServer(listener, options));
    if (shutdown?.signals ?? true) this.#stopListeningToSignals = onSignals(() => this.close());
    this.#log.info({ title, url }, 'listening');
    return { url };
  }

  async #start(open: Open): Promise<{ readonly url: string }> {
    this.#assertNotStarted();
    this.#isStarted = true;
    const compiled: CompiledApp = {
      router: await compile({
        container: this.#container,
        runner: this.#runner,
        routes: this.#routes,
        tasks: this.#tasks,
      }),
      runner: this.#runner,
      log: this.#log,
      stopping: this.#stopping.signal,
      watchEnd: (ctx) => watchEnd(compiled, ctx),
      onion:
        this.#middleware.length === 0
          ? undefined
          : wrap(this.#middleware, (ctx) => dispatch(compiled, ctx)),
      onError: (error, ctx) => this.#errorHandlers.handle(error, ctx),
    };
    for (const lifespan of this.#lifespans) {
      const running = lifespan();
      await running.next();
      this.#running.push(running);
    }
    this.#server = await open((req, res) => handle(compiled, req, res));
    return { url: this.#server.url };
  }

  /**
   * `listen()` for the last line of a program: when the app cannot start, says why without a stack
   * trace and ends the process with code 1.
   */
  async run(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    try {
      return await this.listen(options);
    } catch (error) {
      console.error(error instanceof ThereafterError ? error.message : error);
      process.exit(1);
    }
  }

  /**
   * Stops taking requests and waits for what was accepted, background tasks included, then ends the
   * singletons. A second call gets the result of the first.
   *
   * @param options.drainTimeout - Longest wait from now, default that of the app; `'0s'` does not wait.
   * @returns What was cut at the deadline.
   * @throws {AppStateError} `APP_NOT_STARTED` if `listen` was never called.
   */
  close(options: { readonly drainTimeout?: Duration } = {}): Promise<CloseResult> {
    if (!this.#server) {
      throw new AppStateError('APP_NOT_STARTED', 'close() was called before listen().');
    }
    return (this.#closing ??= this.#close(this.#server, options.drainTimeout));
  }

  async #close(server: RunningServer, drainTimeout: Duration | undefined): Promise<CloseResult> {
    const timeout = drainTimeout ?? this.#options.shutdown?.drainTimeout ?? '10s';
    const deadlineMs = performance.now() + toMilliseconds(timeout);
    const stopped = server.stop();
    this.#stopping.abort(); // ends what would not end by itself: event streams
    await Promise.race([stopped, delay(deadlineMs - performance.now(), undefined, { ref: false })]);
    server.cut();
    const abandoned = await this.#runner.close(deadlineMs - performance.now());
    await stopped;
    this.#stopListeningToSignals?.();
    if (abandoned.length > 0) this.#log.error({ abandoned }, 'background tasks were abandoned');
    for (const running of this.#running.toReversed()) await this.#survive(() => running.next());
    await this.#survive(() => this.#container.close());
    return { abandoned };
  }

  /** What fails while the app ends is logged, and stops nothing else from ending. */
  async #survive(end: () => Promise<unknown>): Promise<void> {
    try {
      await end();
    } catch (error) {
      this.#log.error({ err: error }, 'clean-up at the end of the app failed');
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server) await this.close();
  }

  #assertNotStarted(): void {
    if (!this.#isStarted) return;
    throw new AppStateError(
      'APP_STARTED',
      'The app has started: everything is planned there. Register before listen(), and listen once.',
    );
  }
}
