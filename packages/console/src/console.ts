import { Controller, ThereafterError, type Class, type Context } from 'thereafter';
import { onlyFor } from './access.ts';
import { ConsoleController } from './console-controller.ts';

/** Who may see a console, and where it is. */
export interface ConsoleOptions {
  /**
   * Whether a request may see the console, and steer with it: it is asked for each of them, POST included.
   * Only `true` lets one in; everybody else gets a 403, or the problem that it throws.
   */
  readonly authorize: (ctx: Context) => boolean | Promise<boolean>;
  /** Where it is; default `/console`. */
  readonly path?: string;
  /** What the app is called, beside the name of the page; default: it is not said. */
  readonly title?: string;
}

/**
 * A page for operators, to be given to `include()`: the background tasks of this process as they happen,
 * the durable jobs of the app with what can be done about them, and its routes. Whoever sees it sees
 * payloads, results and stack traces.
 *
 * @throws {ConsoleOpenError} `CONSOLE_OPEN` without `authorize`: there is no console for everybody by oversight.
 */
export function adminConsole({ authorize, path = '/console', title = '' }: ConsoleOptions): Class {
  if (typeof authorize !== 'function') {
    throw new ConsoleOpenError();
  }
  @Controller(path, { documented: false, use: [onlyFor(authorize)] })
  class Console extends ConsoleController {
    protected override readonly title = title;
  }
  return Console;
}

/** Nothing says who may see the console. */
class ConsoleOpenError extends ThereafterError {
  readonly code = 'CONSOLE_OPEN';

  constructor() {
    super(
      'adminConsole() wants authorize, a function that says who may see it, and got none. For a console ' +
        'that only this machine sees: adminConsole({ authorize: fromThisMachine }).',
    );
  }
}
