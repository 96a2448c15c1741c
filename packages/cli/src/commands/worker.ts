import { runToEnd } from './run-to-end.ts';

/** Runs the lifespans and job workers of an app, without an HTTP port. */
export function worker(
  given: string | undefined,
  { envFile }: { readonly envFile?: string },
): Promise<void> {
  return runToEnd('work', given, { ...(envFile !== undefined && { envFile }) });
}
