import type { Duration, JobEngine, TaskLimits } from '@thereafter/tasks';
import { assertOptions } from './given.ts';
import { assertLimits, type Limits } from './limits.ts';
import type { AppLog } from './log.ts';
import type { OpenApiOptions } from './openapi/document.ts';
import type { TrustProxy } from './socket/forwarded.ts';

/** What `createApp()` takes. Everything has a default. */
export interface AppOptions {
  /** Shown in logs and documentation; default `'app'`. */
  readonly title?: string;
  /** The version of the API, for its documentation; default `'0.0.0'`. */
  readonly version?: string;
  /** What the API is for, in CommonMark, for its documentation. */
  readonly description?: string;
  /** What its documentation says of servers, license and contact; default nothing. */
  readonly openapi?: OpenApiOptions;
  /**
   * Where the docs page is; default `'/docs'`, where a route of the app wins over it. `false` turns it
   * and `/openapi.json` off.
   */
  readonly docs?: string | false;
  /** Whether lines are logged, or a log of your own, such as one of `pino`; default true. */
  readonly logger?: boolean | AppLog;
  /**
   * Which proxies are believed when they say who asks, and for which site: how many of them there are, or
   * their addresses and networks, e.g. `['10.0.0.0/8']`. Default 0: `X-Forwarded-For`, `-Proto`, `-Host`,
   * `-Port` and `Forwarded` are what any client may write, and are ignored.
   */
  readonly trustProxy?: TrustProxy;
  /** What one client may ask of the app; safe by default. */
  readonly limits?: Limits;
  /**
   * How long the inputs, dependencies and handler of a route may take until the client gets a 503 and
   * `ctx.signal` aborts; a route may say otherwise. Default: as long as they like.
   */
  readonly handlerTimeout?: Duration;
  readonly shutdown?: {
    /** Longest wait of `close()` for requests and tasks; default `'10s'`. */
    readonly drainTimeout?: Duration;
    /**
     * Whether SIGTERM, SIGINT, SIGHUP and errors that nobody caught close the app and end the process;
     * default true.
     */
    readonly signals?: boolean;
  };
  /** How many background tasks are taken, and how many run at once. */
  readonly tasks?: TaskLimits;
  /** What stores and runs durable tasks; see `jobs()` of `@thereafter/queue`. */
  readonly jobs?: JobEngine;
}

/** @throws {ArgumentError} For an option that is none, or not of its kind. */
export function assertAppOptions(options: AppOptions): void {
  assertOptions('createApp()', options, {
    title: 'a text',
    version: 'a text',
    description: 'a text',
    openapi: 'an object',
    docs: ['a text', 'false'],
    logger: ['true or false', 'an object'],
    trustProxy: ['a number from 0', 'a text', 'a list'],
    limits: 'an object',
    handlerTimeout: ['a text', 'false'], // whether it is a duration is told with all other faults
    shutdown: 'an object',
    tasks: 'an object',
    jobs: 'an object',
  });
  const { limits, shutdown, tasks } = options;
  if (limits) assertLimits(limits);
  if (shutdown) {
    assertOptions('shutdown', shutdown, { drainTimeout: 'a duration', signals: 'true or false' });
  }
  if (tasks) {
    assertOptions('tasks', tasks, {
      maxPending: 'a number from 0',
      maxRunning: 'a number from 0',
      concurrency: 'a number from 0',
      slowAfter: ['a duration', 'false'],
    });
  }
}
