import type { Container, Plan } from '@thereafter/di';
import type { Context } from './context.ts';
import type { MatchedRoute } from './exchange.ts';
import { runWithin, type HandlerTimeout } from './handler/timeout.ts';
import { planForm } from './handler/form-inputs.ts';
import { wrap } from './middleware.ts';
import type { Reply } from './response/reply.ts';
import { compileSerialiser, type Serialiser } from './response/serialise.ts';
import { toReply } from './response/to-reply.ts';
import type { Route } from './route.ts';
import { runDirectly, runInScope, type RunRoute } from './run-route.ts';

/** A route as requests see it: everything that could be decided has been. */
export interface CompiledRoute extends MatchedRoute {
  /** The status of a reply that has none of its own. */
  readonly status: number;
  readonly serialise: Serialiser;
  readonly run: RunRoute;
}

/**
 * @param plan - Of what the route needs; its container has started.
 * @param defaultTimeout - Of the handler, if the route says nothing of it.
 */
export function compileRoute(
  route: Route,
  plan: Plan,
  container: Container,
  defaultTimeout: HandlerTimeout | undefined,
): CompiledRoute {
  const { status = 200, response, handlerTimeout = defaultTimeout } = route.options;
  // What guards give is dropped: they are there to run.
  const call = route.bind(plan.entries.slice(route.guards.length));
  const isDirect = plan.needsNoScope && !container.tracksScopes;
  const style = {
    pattern: route.path,
    status,
    serialise: compileSerialiser(response, {
      route: route.name,
      check: process.env.NODE_ENV !== 'production',
    }),
    form: planForm(plan.sources),
  };
  const bare = isDirect ? runDirectly(call, plan) : runInScope(call, plan, container);
  const run = handlerTimeout ? runWithin(handlerTimeout, route.name, bare) : bare;
  if (route.middleware.length === 0) return { ...style, run };
  const inner = async (ctx: Context): Promise<Reply> => toReply(await run(ctx), style, ctx);
  return { ...style, run: wrap(route.middleware, inner) };
}
