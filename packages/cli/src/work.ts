import type { App } from 'thereafter';
import { CommandError } from './failure.ts';

/** What an app with a job engine can do besides. */
interface Worker {
  work(): Promise<unknown>;
}

/**
 * Starts the lifespans and the job workers of an app, without an HTTP port.
 *
 * @throws {CommandError} When the app has no job engine to work for.
 */
export async function work(app: App): Promise<void> {
  const { work: start } = app as App & Partial<Worker>;
  if (typeof start !== 'function') {
    throw new CommandError(
      'This app has no job engine, so there is nothing to work on. Give it one: ' +
        'createApp({ jobs }) with @thereafter/queue.',
    );
  }
  await start.call(app);
}
