import { isPromise, type Container, type Plan, type Step } from '@thereafter/di';
import type { Context } from './context.ts';
import { wrap } from './middleware.ts';
import { InvalidInput } from './response/problem.ts';
import type { Reply } from './response/reply.ts';
import { compileSerialiser, type Serialiser } from './response/serialise.ts';
import { toReply } from './response/to-reply.ts';
import type { Call, Route } from './route.ts';

/** A route as requests see it: everything that could be decided has been. */
export interface CompiledRoute {
  /** The status of a reply that has none of its own. */
  readonly status: number;
  readonly serialise: Serialiser;
  /** Reads the inputs, resolves the dependencies and calls the handler. */
  readonly run: (ctx: Context) => unknown;
}

/** @param plan - Of what the route needs; its container has started. */
export function compileRoute(route: Route, plan: Plan, container: Container): CompiledRoute {
  const { status = 200, response } = route.options;
  // What guards give is dropped: they are there to run.
  const call = route.bind(plan.entries.slice(route.guards.length));
  const isDirect = plan.needsNoScope && !container.tracksScopes;
  const serialise = compileSerialiser(response, {
    route: route.name,
    check: process.env.NODE_ENV !== 'production',
  });
  const style = { status, serialise };
  const run = isDirect ? runDirectly(call, plan) : runInScope(call, plan, container);
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
    if (isPromise(value)) {
      return value.then((settled) => {
        slots[step.slot] = settled;
        return readAndCall(call, steps, slots, ctx, i + 1);
      });
    }
    slots[step.slot] = value;
  }
  if (ctx.issues) throw new InvalidInput(ctx.issues);
  return call(slots);
}

/** For routes that make something for each request. */
function runInScope(call: Call, plan: Plan, container: Container): CompiledRoute['run'] {
  const run = async (ctx: Context): Promise<unknown> => {
    const scope = ctx.scope!;
    try {
      const filling = scope.run();
      const slots = isPromise(filling) ? await filling : filling;
      if (ctx.issues) throw new InvalidInput(ctx.issues);
      const result = call(slots);
      const value = isPromise(result) ? await result : result;
      if (scope.hasHandlerTeardowns) await scope.closeHandler();
      return value;
    } catch (error) {
      try {
        await scope.closeHandler({ error });
      } catch (closing) {
        ctx.log.error({ err: closing, path: ctx.path }, 'clean-up after a failed handler failed');
      }
      throw error;
    }
  };
  return (ctx) => {
    ctx.scope = container.openScope(plan, ctx);
    return container.tracksScopes ? container.enter(ctx.scope, () => run(ctx)) : run(ctx);
  };
}
