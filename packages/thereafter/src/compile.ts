import {
  InvalidContainerError,
  ThereafterError,
  type Container,
  type ExternalSource,
  type Plan,
} from '@thereafter/di';
import { createRouter, type Router } from '@thereafter/router';
import { BackgroundTasks, toMilliseconds, type Runnable, type TaskRunner } from '@thereafter/tasks';
import { compileRoute, type CompiledRoute } from './compile-route.ts';
import { Context } from './context.ts';
import type { ExchangeHost } from './exchange.ts';
import type { HandlerTimeout } from './handler/timeout.ts';
import type { InFlight } from './in-flight.ts';
import type { Layer, Middleware } from './middleware.ts';
import { describe, type ApiInfo } from './openapi/describe.ts';
import { docsRoutes } from './openapi/docs-routes.ts';
import type { Route } from './route.ts';
import { findBadSchemas, findConflicts, findUnknownParameters } from './route-faults.ts';
import type { ErrorHandlers } from './response/thrown.ts';

/** What requests need of an app that has started. */
export interface CompiledApp extends ExchangeHost {
  readonly router: Router<CompiledRoute>;
  readonly inFlight: InFlight;
  readonly middleware: readonly Middleware[];
  /** The middleware of the app around `dispatch`, if there is any. */
  readonly onion: Layer | undefined;
  readonly errorHandlers: ErrorHandlers;
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
  /** Of routes that say nothing of it. */
  readonly handlerTimeout: HandlerTimeout | undefined;
  /** What the documentation is called, and where it is; `undefined` for an app without. */
  readonly docs: (ApiInfo & { readonly path: string | undefined }) | undefined;
}

/** Registrations whose dependencies are known, and whatever is wrong with them. */
export interface PlannedApp {
  readonly plans: ReadonlyMap<Route, Plan>;
  readonly docsPage: ReturnType<typeof docsRoutes>;
  readonly faults: readonly Error[];
}

/** Plans every route and task. Builds nothing. */
export function planApp(registrations: Registrations): PlannedApp {
  const { container, runner, routes, tasks, docs, handlerTimeout } = registrations;
  const badSchemas = routes.flatMap((route) => findBadSchemas(route, container));
  // The rest cannot be looked at with them.
  if (badSchemas.length > 0) return { plans: new Map(), docsPage: [], faults: badSchemas };
  const described = docs && describe(docs, routes, container);
  const docsPage = described ? docsRoutes(described.document, docs.path, routes) : [];
  const plans = new Map<Route, Plan>(
    routes.map((route) => [
      route,
      container.plan([...route.guards, ...route.needs], { name: route.name, kind: 'http' }),
    ]),
  );
  const refused = tasks.flatMap((task) => refusalOf(() => runner.include(task)));

  const timeouts = [handlerTimeout, ...routes.map(({ options }) => options.handlerTimeout)];
  const wrong = timeouts.flatMap((each) => refusalOf(() => each && toMilliseconds(each)));

  const conflicts = findConflicts([...routes, ...docsPage]);
  const faults = [
    ...conflicts,
    ...findUnknownParameters(routes, container),
    ...wrong,
    ...refused,
    ...container.faults,
    ...(described?.faults ?? []),
  ];
  return { plans, docsPage, faults };
}

/**
 * Freezes registrations: plans them, reports all faults at once, builds the singletons.
 *
 * @throws {InvalidAppError} `APP_INVALID` with every fault.
 */
export async function compile(registrations: Registrations): Promise<Router<CompiledRoute>> {
  const { container, handlerTimeout } = registrations;
  const { plans, docsPage, faults } = planApp(registrations);
  if (faults.length > 0) throw new InvalidAppError(faults);
  try {
    await container.start();
  } catch (error) {
    // Some faults are known only once the singletons are built.
    throw error instanceof InvalidContainerError ? new InvalidAppError(error.errors) : error;
  }

  const router = createRouter<CompiledRoute>();
  for (const [route, plan] of plans) {
    router.add(route.method, route.path, compileRoute(route, plan, container, handlerTimeout));
  }
  for (const { method, path, reply } of docsPage) {
    router.add(method, path, {
      pattern: path,
      status: 200,
      serialise: (value) => JSON.stringify(value),
      form: undefined,
      run: reply,
    });
  }
  router.compile();
  return router;
}

/** Lets what a request carries be asked for like everything else. */
export function registerCarrier(container: Container): void {
  container.external(
    Context,
    carrierPart('the request context', (ctx) => ctx),
  );
  container.external(
    BackgroundTasks,
    carrierPart('BackgroundTasks', (ctx) => ctx.tasks),
  );
}

/** What a registration throws, as a fault among others. */
function refusalOf(register: () => unknown): Error[] {
  try {
    register();
    return [];
  } catch (error) {
    return [error as Error]; // what a registration throws is one
  }
}

function carrierPart(name: string, read: (ctx: Context) => unknown): ExternalSource {
  return { kind: 'external', carriedBy: 'http', name, reader: () => read };
}
