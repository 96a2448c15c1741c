import { ResolutionError, type Container, type Plan, type Scope } from '@thereafter/di';
import { exchangeOf, type Context } from './context.ts';
import { InvalidInput } from './response/problem.ts';
import type { Call } from './route.ts';
import { isInstance, isThenable } from './untrusted.ts';

/** Reads the inputs, resolves the dependencies and calls the handler. */
export type RunRoute = (ctx: Context) => unknown;

/** For routes whose arguments are constants or parts of the request: no scope is opened. */
export function runDirectly(call: Call, plan: Plan): RunRoute {
  const finish = (slots: readonly unknown[], ctx: Context): unknown =>
    checkAndCall(call, ctx, slots);
  return (ctx) => plan.run(ctx, finish);
}

/** For routes that make something for each request. Waits only where there is something to wait for. */
export function runInScope(call: Call, plan: Plan, container: Container): RunRoute {
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
    if (!(filling instanceof Promise)) return finish(ctx, scope, filling);
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
