import type { Duration } from '@thereafter/tasks';
import type { OpenApiDocument } from './openapi/document.ts';
import type { RouteSummary } from './route.ts';
import type { ListenOptions } from './socket/server.ts';

/**
 * A program that runs the apps of others, as `thereafter dev` does, or only looks at them, as `thereafter
 * routes` does. It makes itself known under `Symbol.for('thereafter.host')` of `globalThis`, because the
 * app may have a copy of this package of its own.
 */
export interface AppHost {
  /**
   * Asked when an app is about to listen. When the answer is false, the app does not start: no singleton
   * is built and no port opens, and its `listen()` never settles, so that the code behind it does not run.
   */
  admit(app: HostedApp, blueprint: AppBlueprint): boolean;
  /** Told where an app listens. */
  readonly listening?: (url: string) => void;
  /** What was asked for from outside, e.g. by `--port`; it wins over what the code says. */
  readonly listen?: ListenOptions;
  /** Wins over the drain timeout of the app, for whoever waits for the next start. */
  readonly drainTimeout?: Duration;
}

/** What a host may do with an app, besides letting it start. */
export interface HostedApp {
  /** See `App.openapi`. */
  openapi(): OpenApiDocument;
  /** See `App.work`. */
  work(): Promise<void>;
}

/** An app as it stands before it starts, for who only looks at it. */
export interface AppBlueprint {
  readonly title: string;
  /** The path of the docs page; `undefined` for an app without. */
  readonly docs: string | undefined;
  /** In the order of their registration. */
  readonly routes: readonly RouteSummary[];
  /** The names of the tasks that were included. */
  readonly tasks: readonly string[];
  /**
   * Plans everything as a start does, and builds nothing. To be called once, and not for an app that will
   * start.
   */
  plan(): AppCheck;
}

/** What planning found. */
export interface AppCheck {
  /** Everything that would stop the app from starting; empty for one that can. */
  readonly faults: readonly Error[];
  /** What every route and task is made of, for people. */
  readonly graph: string;
}

const HOST = Symbol.for('thereafter.host');

/** The program that runs this app for its author; `undefined` when the app runs by itself. */
export function appHost(): AppHost | undefined {
  return (globalThis as { [HOST]?: AppHost })[HOST];
}
