import type { App } from 'thereafter';
import { isFrameworkError } from './framework-error.ts';

/** The app that a module exports, as `app` or as its default; `undefined` when there is none. */
export function exportedApp(module: object): App | undefined {
  const { app, default: main } = module as { app?: unknown; default?: unknown };
  return [app, main].find(isApp);
}

/** By what it can do, since the program may have a copy of the class of its own. */
function isApp(value: unknown): value is App {
  const { listen, explain, openapi } = (value ?? {}) as Partial<App>;
  return [listen, explain, openapi].every((method) => typeof method === 'function');
}

/**
 * Starts the app that a module exports, unless it has started it itself. When the app cannot start, says
 * why and ends the process with code 1.
 */
export async function startApp(module: object): Promise<void> {
  try {
    await exportedApp(module)?.listen();
  } catch (error) {
    if ((error as { code?: unknown }).code === 'APP_STARTED') return;
    console.error(isFrameworkError(error) ? error.message : error);
    process.exit(1);
  }
}
