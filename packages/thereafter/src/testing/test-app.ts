import type { Class, Container, Dependency, Gives, Scope, Token } from '@thereafter/di';
import { Agent } from 'undici';
import { insidesOf, type App } from '../app.ts';
import { startServer, type RunningServer } from '../socket/server.ts';
import { send, type TestRequest, type TestResponse } from './client.ts';
import { TestTasks } from './test-tasks.ts';
import { startInMemory } from './memory.ts';

/** What `testApp()` takes. */
export interface TestAppOptions {
  /**
   * Whether background tasks run after their response, as always, or wait for `tasks.drain()`.
   * Default `'run'`.
   */
  readonly tasks?: 'run' | 'hold';
  /**
   * What carries the requests: streams in memory, without a port, or a socket on a free port of
   * 127.0.0.1. The app does the same in both. Default `'memory'`.
   */
  readonly over?: 'memory' | 'socket';
}

/** Something that a test can replace. */
type Replaceable = Token<unknown> | Dependency<unknown> | Class;

/** Prepares an app for a test; `start()` it at the end. */
export function testApp(app: App, options: TestAppOptions = {}): TestBuilder {
  return new TestBuilder(app, options);
}

/** An app under test that has not started yet. */
export class TestBuilder {
  readonly #app: App;
  readonly #options: TestAppOptions;

  constructor(app: App, options: TestAppOptions) {
    this.#app = app;
    this.#options = options;
  }

  /**
   * Replaces a token, a class or a function dependency by a value. What the replaced one needed is not
   * built, and the value is never disposed: it is the test's. It wins over what the app provides or
   * overrides. Unlike in `app.override()` nobody needs to ask for it, so that a suite can share its
   * overrides.
   *
   * @param value - For a class, only the parts that the test needs.
   */
  override<X extends Replaceable>(target: X, value: Partial<Gives<X>>): this {
    const { container } = insidesOf(this.#app);
    container.override(target as Class, value, { mayBeUnused: true }); // whichever kind of key it is
    return this;
  }

  /**
   * Starts the app: lifespan and singletons as in `listen()`, no signals.
   *
   * @throws {InvalidAppError} `APP_INVALID` with every fault.
   */
  async start(): Promise<TestApp> {
    const { tasks = 'run', over = 'memory' } = this.#options;
    const { container, runner, start } = insidesOf(this.#app);
    const recorded = new TestTasks(runner);
    if (tasks === 'hold') recorded.hold();
    let dispatcher = new Agent();
    const { url } = await start(async (answer, limits): Promise<RunningServer> => {
      if (over === 'socket') return startServer(answer, limits, { port: 0, host: '127.0.0.1' });
      const memory = startInMemory(answer, limits);
      dispatcher = memory.dispatcher;
      return memory;
    });
    return new TestApp(this.#app, container, recorded, dispatcher, url);
  }
}

/** An app under test. Ends with its block: `await using t = await testApp(app).start()`. */
export class TestApp implements AsyncDisposable {
  /** Where it answers; in memory, only this client reaches it. */
  readonly url: string;
  readonly #app: App;
  readonly #container: Container;
  readonly #tasks: TestTasks;
  readonly #dispatcher: Agent;
  #scope: Scope | undefined;

  constructor(app: App, container: Container, tasks: TestTasks, dispatcher: Agent, url: string) {
    this.#app = app;
    this.#container = container;
    this.#tasks = tasks;
    this.#dispatcher = dispatcher;
    this.url = url;
  }

  /** The background tasks of all requests. */
  get tasks(): TestTasks {
    return this.#tasks;
  }

  /**
   * Sends a request. The response is there as soon as its head is; background tasks may still run.
   *
   * @param path - With its query string.
   */
  request(method: string, path: string, options: TestRequest = {}): Promise<TestResponse> {
    return send(this.#dispatcher, this.url, method, path, options);
  }

  get(path: string, options?: TestRequest): Promise<TestResponse> {
    return this.request('GET', path, options);
  }

  post(path: string, options?: TestRequest): Promise<TestResponse> {
    return this.request('POST', path, options);
  }

  put(path: string, options?: TestRequest): Promise<TestResponse> {
    return this.request('PUT', path, options);
  }

  patch(path: string, options?: TestRequest): Promise<TestResponse> {
    return this.request('PATCH', path, options);
  }

  delete(path: string, options?: TestRequest): Promise<TestResponse> {
    return this.request('DELETE', path, options);
  }

  /**
   * What the app's container gives for a class: its singleton, or, for what lives in a request, one for
   * the length of the test.
   */
  async resolve<T>(target: Class<T>): Promise<T> {
    this.#scope ??= this.#container.openScope();
    return (await this.#scope.get(target)) as T;
  }

  /** Ends connections and the app. Held tasks are discarded. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dispatcher.destroy();
    await this.#scope?.close();
    await this.#app.close();
  }
}
