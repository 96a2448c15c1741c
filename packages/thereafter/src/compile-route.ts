import { ResolutionError, type Container, type Plan, type Scope, type Step } from '@thereafter/di';
import { exchangeOf, type Context } from './context.ts';
import type { MatchedRoute } from './exchange.ts';
import { isInstance, isThenable } from './untrusted.ts';
import { runWithin, type HandlerTimeout } from './handler/timeout.ts';
import { planForm } from './handler/form-inputs.ts';
import { wrap } from './middleware.ts';
import { InvalidInput } from './response/problem.ts';
import type { Reply } from './response/reply.ts';
import { compileSerialiser, type Serialiser } from './response/serialise.ts';
import { toReply } from './response/to-reply.ts';
import type { Call, Route } from './route.ts';

/** A route as requests see it: everything that could be decided has been. */
export interface CompiledRoute extends MatchedRoute {
  /** The status of a reply that has none of its own. */
  readonly status: number;
  readonly serialise: Serialiser;
  /** Reads the inputs, resolves the dependencies and calls the handler. */
  readonly run: (ctx: Context) => unknown;
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
  const sources = plan.steps.map(({ node: { provider } }) =>
    provider.kind === 'external' ? provider.source : undefined,
  );
  const style = {
    pattern: route.path,
    status,
    serialise: compileSerialiser(response, {
      route: route.name,
      check: process.env.NODE_ENV !== 'production',
    }),
    form: planForm(sources),
  };
  const bare = isDirect ? runDirectly(call, plan) : runInScope(call, plan, container);
  const run = handlerTimeout ? runWithin(handlerTimeout, route.name, bare) : bare;
  if (route.middleware.length === 0) return { ...style, run };
  const inner = async (ctx: Context): Promise<Reply> => toReply(await run(ctx), style, ctx);
  return { ...style, run: wrap(route.middleware, inner) };
}

/** For routes whose arguments are constants or parts of the request: no scope is opened. */
function runDirectly(call: Call, plan: Plan): CompiledRoute['run'] {
  const { steps } = plan;
  return (ctx) => readAndCall(call, steps, plan.newSlots(), ctx, 0);
}

function readAndCall(
  call: Call,
  steps: readonly Step[],
  slots: unknown[],
  ctx: Context,
  first: number,
): unknown {
  for (let i = first; i < steps.length; i++) {
    const step = steps[i]!;
    const value = step.read!(ctx); // a plan that needs no scope only reads
    if (isThenable(value)) {
      return value.then((settled) => {
        slots[step.slot] = settled;
        return readAndCall(call, steps, slots, ctx, i + 1);
      });
    }
    slots[step.slot] = value;
  }
  return checkAndCall(call, ctx, slots);
}

/** For routes that make something for each request. Waits only where there is something to wait for. */
function runInScope(call: Call, plan: Plan, container: Container): CompiledRoute['run'] {
  const finish = (ctx: Context, scope: Scope, slots: readonly unknown[]): unknown => {
    let result: unknown;
    try {
      result = checkAndCall(call, ctx, slots);
    } catch (error) {
      return fail(ctx, scope, error);
    }
    return isThenable(result) || scope.hasHandlerTeardowns ? settle(ctx, scope, result) : result;
  };
  const run = (ctx: Context, scope: Scope): unknown => {
    let filling: readonly unknown[] | Promise<readonly unknown[]>;
    try {
      filling = scope.run();
    } catch (error) {
      return fail(ctx, scope, error);
    }
    if (!isThenable(filling)) return finish(ctx, scope, filling);
    return filling.then(
      (slots) => finish(ctx, scope, slots),
      (error: unknown) => fail(ctx, scope, error),
    );
  };
  return (ctx) => {
    const scope = container.openScope(plan, ctx);
    exchangeOf(ctx).scope = scope;
    return container.tracksScopes ? container.enter(scope, () => run(ctx, scope)) : run(ctx, scope);
  };
}

function checkAndCall(call: Call, ctx: Context, slots: readonly unknown[]): unknown {
  const { issues, isGivenUp } = exchangeOf(ctx);
  if (issues) throw new InvalidInput(issues);
  if (isGivenUp) throw ctx.signal.reason; // nobody waits: what has not begun is left
  return call(slots);
}

/** Waits for the handler, then ends what lives no longer than it. What fails there is the answer. */
async function settle(ctx: Context, scope: Scope, result: unknown): Promise<unknown> {
  let value: unknown;
  try {
    value = await result;
    if (scope.hasHandlerTeardowns) await scope.closeHandler();
  } catch (error) {
    return fail(ctx, scope, error);
  }
  return value;
}

/**
 * Ends what lives no longer than the handler, which has failed: what fails there besides is only logged,
 * see docs/adr/0003-failed-clean-up-before-the-response.md.
 */
async function fail(ctx: Context, scope: Scope, thrown: unknown): Promise<never> {
  const exchange = exchangeOf(ctx);
  // A constructor may have asked, with inject(), for an input that turned out not to be valid.
  const isInput = isInstance(thrown, ResolutionError) && thrown.code === 'TA125';
  const error = isInput && exchange.issues ? new InvalidInput(exchange.issues) : thrown;
  exchange.failure = { error }; // a task that clean-up code adds comes after it
  try {
    await scope.closeHandler({ error });
  } catch (closing) {
    ctx.log.error({ err: closing, path: ctx.path }, 'clean-up after a failed handler failed');
  }
  throw error;
}
