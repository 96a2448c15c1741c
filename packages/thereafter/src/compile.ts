import { ThereafterError, type Container, type ExternalSource, type Plan } from '@thereafter/di';
import { createRouter, RouteConflictError, type Router } from '@thereafter/router';
import { BackgroundTasks, type Runnable, type TaskRunner } from '@thereafter/tasks';
import { compileRoute, type CompiledRoute } from './compile-route.ts';
import { Context } from './context.ts';
import type { AppLog } from './log.ts';
import type { Layer } from './middleware.ts';
import type { Route } from './route.ts';

/** What an app is once it has started. */
export interface CompiledApp {
  readonly router: Router<CompiledRoute>;
  readonly runner: TaskRunner;
  readonly log: AppLog;
  readonly watchEnd: (ctx: Context) => void;
  /** The middleware of the app around `dispatch`, if there is any. */
  readonly onion: Layer | undefined;
  /** Aborts when the app stops taking requests. */
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown, ctx: Context) => unknown;
}

/** The app cannot start. `errors` holds every fault that was found, not only the first. */
export class InvalidAppError extends ThereafterError {
  readonly code = 'APP_INVALID';
  readonly errors: readonly Error[];

  constructor(errors: readonly Error[]) {
    const list = errors.map((error) => {
      const code = error instanceof ThereafterError ? `[${error.code}] ` : '';
      return `  ${code}${error.message}`;
    });
    super(`The app cannot start:\n${list.join('\n')}`);
    this.errors = errors;
  }
}

/** What was registered with an app. */
export interface Registrations {
  readonly container: Container;
  readonly runner: TaskRunner;
  readonly routes: readonly Route[];
  readonly tasks: readonly Runnable[];
}

/**
 * Freezes registrations: plans every route and task, reports all faults at once, builds the singletons.
 *
 * @throws {InvalidAppError} `APP_INVALID` with every fault.
 */
export async function compile({
  container,
  runner,
  routes,
  tasks,
}: Registrations): Promise<Router<CompiledRoute>> {
  container.external(
    Context,
    carrierPart('the request context', (ctx) => ctx),
  );
  container.external(
    BackgroundTasks,
    carrierPart('BackgroundTasks', (ctx) => ctx.tasks),
  );

  const plans = new Map<Route, Plan>(
    routes.map((route) => [
      route,
      container.plan([...route.guards, ...route.needs], { name: route.name, kind: 'http' }),
    ]),
  );
  for (const task of tasks) runner.include(task);

  const conflicts = findConflicts(routes);
  const faults = [...conflicts, ...container.faults];
  if (faults.length > 0) throw new InvalidAppError(faults);
  await container.start();

  const router = createRouter<CompiledRoute>();
  for (const [route, plan] of plans) {
    router.add(route.method, route.path, compileRoute(route, plan, container));
  }
  router.compile();
  return router;
}

function carrierPart(name: string, read: (ctx: Context) => unknown): ExternalSource {
  return { kind: 'external', carriedBy: 'http', name, reader: () => read };
}

/** Two routes for the same requests, each named with the place that declares it. */
function findConflicts(routes: readonly Route[]): Error[] {
  const router = createRouter<Route>();
  return routes.flatMap((route) => {
    try {
      router.add(route.method, route.path, route);
      return [];
    } catch (error) {
      if (!(error instanceof RouteConflictError)) return [error as Error]; // a malformed pattern
      const { name } = error.first as Route; // what was added above
      return [new Error(`${error.message} Both ${name} and ${route.name} declare it.`)];
    }
  });
}
