// The tasks, without the framework that runs them.

export const port = Number(process.env['PORT']);

/** How many tasks are added where there are many. */
export const MANY = 10_000;

export function noop(_a: number, _b: string): void {}

let gate: PromiseWithResolvers<void> | undefined;

/** A task that does not end until `openGate`. */
export function waitAtGate(): Promise<void> | undefined {
  return gate?.promise;
}

export function closeGate(): void {
  gate = Promise.withResolvers<void>();
}

/** Lets pass who waits, and who comes later. */
export function openGate(): void {
  gate?.resolve();
  gate = undefined;
}

let last = Promise.withResolvers<void>();

/** The last of many tasks. */
export function markLast(): void {
  last.resolve();
}

/** Settles when `markLast` has run; once for each time. */
export async function lastHasRun(): Promise<{ done: boolean }> {
  await last.promise;
  last = Promise.withResolvers<void>();
  return { done: true };
}
