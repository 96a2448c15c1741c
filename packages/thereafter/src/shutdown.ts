import type { Logger } from '@thereafter/tasks';

/** What ends with the process. */
export interface Ending {
  /** Ends the app. @returns What was cut. */
  close(): Promise<{ readonly abandoned: readonly string[] }>;
  /** What would be lost if the process ended now. */
  unfinished(): readonly string[];
}

/**
 * Ends the process in good order on SIGTERM, SIGINT and SIGHUP, and after an error that nobody caught, since
 * nobody knows what it left behind. It exits with 0 when nothing was cut and no error was the cause, else
 * with 1. A second signal ends it at once, and with 1; what is lost is logged before.
 *
 * @returns Stops listening.
 * @see docs/lifecycle.md for a table of it
 */
export function onProcessEnd(app: Ending, log: Logger): () => void {
  let isClosing = false;
  const end = (isFine: boolean): void => {
    isClosing = true;
    app.close().then(
      ({ abandoned }) => process.exit(isFine && abandoned.length === 0 ? 0 : 1),
      (error: unknown) => {
        log.error({ err: error }, 'closing failed');
        process.exit(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isClosing) {
      log.error({ signal, lost: app.unfinished() }, 'a second signal: not waiting any longer');
      process.exit(1);
    }
    log.info({ signal }, 'closing');
    end(true);
  };
  const onUncaught = (error: unknown, origin: string): void => {
    log.error({ err: error, origin }, 'nobody caught an error: closing');
    if (!isClosing) end(false);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('uncaughtException', onUncaught); // rejections that nobody handles come here too
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    process.off('uncaughtException', onUncaught);
  };
}

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
