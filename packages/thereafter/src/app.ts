import {
  createContainer,
  type Class,
  type Container,
  type Provision,
  type Source,
  type Token,
} from '@thereafter/di';
import type { Method } from '@thereafter/router';
import {
  TaskRunner,
  taskSpecOf,
  toMilliseconds,
  type AppTasks,
  type Duration,
  type Runnable,
  type TaskDefinition,
  type TaskErrorHandler,
} from '@thereafter/tasks';
import { assertAppOptions, type AppOptions } from './app-options.ts';
import { InvalidAppError, planApp, registerCarrier, type Registrations } from './compile.ts';
import { CONTROLLER_OPTIONS, type IncludeOptions } from './decorators/metadata.ts';
import { assertGiven, assertOptions } from './given.ts';
import { appHost, type AppBlueprint } from './host.ts';
import { createLog, type AppLog } from './log.ts';
import type { Middleware } from './middleware.ts';
import { describe, type ApiInfo } from './openapi/describe.ts';
import type { OpenApiDocument } from './openapi/document.ts';
import { ErrorHandlers, type ErrorHandler } from './response/thrown.ts';
import { controllerRoutes, functionRoute, type Route, type RouteSummary } from './route.ts';
import { ALL_METHODS, type AddRoute, type AllOptions, type Handler } from './route-options.ts';
import { onProcessEnd, printFailure } from './shutdown.ts';
import { createProxyTrust, type ProxyTrust } from './socket/forwarded.ts';
import { startServer, withoutServer, type ListenOptions } from './socket/server.ts';
import { AppStateError, StartedApp, type CloseResult, type Open } from './start.ts';

/** A controller class, a task class or a task definition. */
// oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any payload
type Part = Class | TaskDefinition<any>;

function isPart(first: string | IncludeOptions | Part): first is Part {
  return typeof first === 'function' || (typeof first === 'object' && !!taskSpecOf(first));
}

/** Makes an app. Register what it answers, then `listen()`. */
export function createApp(options: AppOptions = {}): App {
  return new App(options);
}

/** What `thereafter/testing` works with. */
export interface AppInsides {
  readonly container: Container;
  readonly runner: TaskRunner;
  /** `listen()` by other means, and without signals. */
  readonly start: (open: Open) => Promise<{ readonly url: string }>;
}

/** The insides of an app. Set by its class, which alone can reach them. */
export let insidesOf: (app: App) => AppInsides;

/**
 * Registers, starts and stops; what happens to a request in between stands in `lifecycle.ts`. Made by
 * `createApp()`. What is injected by this type is the app itself.
 */
export class App implements AsyncDisposable {
  static {
    insidesOf = (app) => ({
      container: app.#container,
      runner: app.#runner,
      start: async (open) => ({ url: await app.#start(open) }),
    });
  }

  readonly get: AddRoute<App> = this.#verb('GET');
  readonly post: AddRoute<App> = this.#verb('POST');
  readonly put: AddRoute<App> = this.#verb('PUT');
  readonly patch: AddRoute<App> = this.#verb('PATCH');
  readonly delete: AddRoute<App> = this.#verb('DELETE');
  /** Answers every method that a route can have, or those of the option `methods`. */
  readonly all: AddRoute<App, AllOptions> = this.#verb(...ALL_METHODS);

  readonly #options: AppOptions;
  readonly #log: AppLog;
  readonly #trustsProxy: ProxyTrust;
  readonly #container: Container = createContainer();
  readonly #runner: TaskRunner;
  readonly #routes: Route[] = [];
  readonly #tasks: Runnable[] = [];
  readonly #middleware: Middleware[] = [];
  readonly #errorHandlers = new ErrorHandlers();
  readonly #lifespans: (() => AsyncGenerator<void, void>)[] = [];
  #isStarted = false;
  #started: StartedApp | undefined;
  #leaveProcess: (() => void) | undefined;
  /** Whether the process ends with the app. */
  #isLeaving = false;
  #closing: Promise<CloseResult> | undefined;

  constructor(options: AppOptions) {
    assertAppOptions(options);
    this.#options = options;
    this.#log = createLog(options.logger ?? true);
    registerCarrier(this.#container);
    this.#container.provide(App, { value: this });
    options.jobs?.register(this.#container);
    this.#trustsProxy = createProxyTrust(options.trustProxy ?? 0);
    this.#runner = new TaskRunner({
      container: this.#container,
      log: this.#log,
      engine: options.jobs,
      ...options.tasks,
    });
  }

  #verb(...defaults: readonly Method[]): AddRoute<App> {
    return (path: string, ...rest: unknown[]) => {
      // AddRoute has checked both.
      const [given, handler] = (rest.length === 1 ? [{}, rest[0]] : rest) as [AllOptions, Handler];
      const { methods = defaults, ...options } = given;
      this.#assertNotStarted();
      for (const method of methods) {
        this.#routes.push(functionRoute(method, path, options, handler));
      }
      return this;
    };
  }

  /**
   * Adds controllers and tasks; controllers optionally below a prefix, or with a prefix, tags,
   * middleware and dependencies that hold for all of them, around their own.
   *
   * @throws {ArgumentError} For a class that is neither.
   */
  include(...parts: Part[]): this;
  include(prefix: string, ...controllers: Class[]): this;
  include(around: IncludeOptions, ...controllers: Class[]): this;
  include(first: string | IncludeOptions | Part, ...rest: Part[]): this {
    this.#assertNotStarted();
    const [around, parts] = isPart(first) ? [{}, [first, ...rest]] : [first, rest];
    const options = typeof around === 'string' ? { prefix: around } : around;
    assertOptions('include()', options, { ...CONTROLLER_OPTIONS, prefix: 'a text' });
    for (const part of parts) {
      if (taskSpecOf(part)) this.#tasks.push(part as Runnable);
      else this.#routes.push(...controllerRoutes(part as Class, options)); // which refuses what is none
    }
    return this;
  }

  /** Says how a token or class gets its value. The last word counts. */
  provide<T>(key: Token<T> | Class<T>, how: Provision<T>): this {
    this.#assertNotStarted();
    assertGiven('What provide() is given', key, ['a function', 'an object']);
    assertGiven('What provide() says of it', how, 'an object');
    this.#container.provide(key, how);
    return this;
  }

  /**
   * Replaces a class, token or function dependency by a value, for tests. It wins over `provide()`, and
   * what the replaced one needed is neither built nor read from requests. `listen()` refuses an
   * override that nobody asks for; where code that runs later could still ask with `inject()`, the process
   * is warned at `close()` if it has not.
   */
  override<V>(key: Source<V> | Class<V>, value: V): this {
    this.#assertNotStarted();
    this.#container.override(key, value);
    return this;
  }

  /**
   * What a dependency is made of, as a tree for people: how long each part lives, why, and who ends it.
   * Without a key, once the app has started: of every route and task.
   *
   * @throws {InvalidContainerError} `TA100` when it cannot be built.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a constraint: any value may be given
  explain(key?: Source<any> | Class<any>): string {
    return this.#container.explain(key);
  }

  /** Wraps every request, unknown paths included. The first one added is outermost. */
  use(middleware: Middleware): this {
    this.#assertNotStarted();
    assertGiven('What use() is given', middleware, 'a function');
    this.#middleware.push(middleware);
    return this;
  }

  /**
   * Says what is answered when an error of a class is thrown; the nearest class wins. A handler that
   * itself fails is logged, and the answer is a plain 500.
   */
  onError<E>(target: abstract new (...args: never[]) => E, handler: ErrorHandler<E>): this {
    this.#assertNotStarted();
    assertGiven('What onError() is given', target, 'a function');
    assertGiven('What onError() is given', handler, 'a function');
    this.#errorHandlers.add(target, handler);
    return this;
  }

  /**
   * Runs around the life of the app: up to its `yield` before the port opens, the rest when requests
   * and tasks are drained, before the singletons end. The last one added ends first.
   */
  lifespan(run: () => AsyncGenerator<void, void>): this {
    this.#assertNotStarted();
    assertGiven('What lifespan() is given', run, 'a function');
    this.#lifespans.push(run);
    return this;
  }

  /** Is told of background tasks that fail; default: a line in the log. */
  onTaskError(handler: TaskErrorHandler): this {
    assertGiven('What onTaskError() is given', handler, 'a function');
    this.#runner.onError = handler;
    return this;
  }

  /**
   * Where the app is to be reached from this machine, as `listen()` says it, e.g. `http://localhost:3000`,
   * `unix:/run/app.sock`, or `fd:3` for a Unix socket that it was started with.
   *
   * @throws {AppStateError} `APP_NOT_STARTED` before it listens.
   */
  get url(): string {
    const url = this.#started?.url;
    if (url !== undefined) return url;
    throw new AppStateError('APP_NOT_STARTED', 'url was asked for before the port had opened.');
  }

  /** What was registered so far, in that order; without the docs page. */
  get routes(): readonly RouteSummary[] {
    return this.#routes.map(({ method, path, name }) => ({ method, path, handler: name }));
  }

  /** Background tasks of all requests. */
  get tasks(): AppTasks {
    return this.#runner;
  }

  /**
   * The OpenAPI document of what was registered so far. Opens no port and builds nothing.
   *
   * @throws {InvalidAppError} `APP_INVALID` with everything that cannot be described.
   */
  openapi(): OpenApiDocument {
    const { document, faults } = describe(this.#info, this.#routes, this.#container);
    if (faults.length > 0) throw new InvalidAppError(faults);
    return document;
  }

  get #info(): ApiInfo {
    const { title = 'app', version = '0.0.0', description, openapi } = this.#options;
    return { ...openapi, title, version, description };
  }

  /**
   * Checks everything that was registered, builds the singletons and opens the port. If that fails, what
   * had begun is ended before this rejects.
   *
   * @throws {InvalidAppError} `APP_INVALID` with every fault, before the port opens.
   * @throws {ListenError} `LISTEN_FAILED` when the port or path is taken.
   */
  async listen(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    this.#assertNotStarted();
    const host = appHost();
    if (host?.admit(this, this.#blueprint) === false) return new Promise(() => {});
    const { title = 'app' } = this.#options;
    this.#leaveOnSignals();
    const url = await this.#start((answer, limits) =>
      startServer(answer, limits, { ...options, ...host?.listen }),
    );
    this.#log.info({ title, url }, 'listening');
    host?.listening?.(url);
    return { url };
  }

  /**
   * Runs the durable jobs of the app and answers no requests: a process of its own for work, beside
   * those that listen.
   *
   * @throws {AppStateError} `APP_WITHOUT_JOBS` for an app that was made without `jobs`.
   * @throws {InvalidAppError} `APP_INVALID` with every fault.
   */
  async work(): Promise<void> {
    this.#assertNotStarted();
    if (appHost()?.admit(this, this.#blueprint) === false) return new Promise(() => {});
    if (!this.#options.jobs) {
      throw new AppStateError(
        'APP_WITHOUT_JOBS',
        'work() runs durable jobs, and this app has none. Give it an engine: createApp({ jobs: jobs({ driver }) }).',
      );
    }
    this.#leaveOnSignals();
    await this.#start(() => Promise.resolve(withoutServer()), true);
    this.#log.info({ title: this.#options.title ?? 'app' }, 'working');
  }

  #leaveOnSignals(): void {
    if (this.#options.shutdown?.signals === false) return;
    const close = (): Promise<CloseResult> => {
      this.#isLeaving = true;
      return this.close();
    };
    const unfinished = (): readonly string[] => this.#started?.unfinished ?? [];
    this.#leaveProcess = onProcessEnd({ close, unfinished }, this.#log);
  }

  get #blueprint(): AppBlueprint {
    const { docs = '/docs' } = this.#options;
    return {
      title: this.#info.title,
      docs: docs === false ? undefined : docs,
      routes: this.routes,
      tasks: this.#tasks.map((task) => taskSpecOf(task)!.name), // include() has seen it
      plan: () => {
        const { faults } = planApp(this.#registrations);
        return { faults, graph: this.#container.explain() };
      },
    };
  }

  get #registrations(): Registrations {
    const { docs, handlerTimeout } = this.#options;
    return {
      handlerTimeout,
      container: this.#container,
      runner: this.#runner,
      routes: this.#routes,
      tasks: this.#tasks,
      docs: docs === false ? undefined : { ...this.#info, path: docs },
    };
  }

  async #start(open: Open, isWorker = false): Promise<string> {
    this.#assertNotStarted();
    this.#isStarted = true;
    const parts = {
      registrations: this.#registrations,
      middleware: this.#middleware,
      errorHandlers: this.#errorHandlers,
      lifespans: this.#lifespans,
      jobs: this.#options.jobs,
      limits: this.#options.limits,
      log: this.#log,
      trustsProxy: this.#trustsProxy,
    };
    const started = (this.#started = new StartedApp(parts));
    try {
      await started.start(open, isWorker);
      return started.url!; // it has started
    } catch (error) {
      if (this.#isLeaving) return new Promise(() => {}); // nothing else begins before the process ends
      this.#leaveProcess?.();
      this.#started = undefined;
      throw error;
    }
  }

  /**
   * `listen()` for the last line of a program: when the app cannot start, says why without a stack
   * trace and ends the process with code 1.
   */
  async run(options: ListenOptions = {}): Promise<{ readonly url: string }> {
    try {
      return await this.listen(options);
    } catch (error) {
      printFailure(error);
      process.exit(1);
    }
  }

  /**
   * Stops taking requests and waits for what was accepted, background tasks included, then ends the
   * singletons. While the app is still starting, gives that up instead: then `listen()` rejects. A second
   * call gets the result of the first.
   *
   * @param options.drainTimeout - Longest wait from now, default that of the app; `'0s'` does not wait.
   * @returns What was cut at the deadline.
   * @throws {AppStateError} `APP_NOT_STARTED` if `listen` was never called.
   */
  close(options: { readonly drainTimeout?: Duration } = {}): Promise<CloseResult> {
    if (this.#closing) return this.#closing;
    if (!this.#started) {
      throw new AppStateError('APP_NOT_STARTED', 'close() was called before listen().');
    }
    const timeout =
      options.drainTimeout ??
      appHost()?.drainTimeout ??
      this.#options.shutdown?.drainTimeout ??
      '10s';
    return (this.#closing = this.#started
      .close(toMilliseconds(timeout))
      .finally(this.#leaveProcess));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#started) await this.close();
  }

  #assertNotStarted(): void {
    if (!this.#isStarted) return;
    throw new AppStateError(
      'APP_STARTED',
      'The app has started: everything is planned there. Register before listen(), and listen once.',
    );
  }
}
