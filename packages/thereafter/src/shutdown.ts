import type { Logger } from '@thereafter/tasks';

/**
 * Ends the process in good order on SIGTERM and SIGINT, and after an error that nobody caught, since
 * nobody knows what it left behind. A second signal ends it at once.
 *
 * @param close - Ends the app and says what was cut. Then the process exits: with 0 when that is
 *   nothing and no error was the cause, else with 1.
 * @returns Stops listening.
 */
export function onProcessEnd(
  close: () => Promise<{ abandoned: readonly string[] }>,
  log: Logger,
): () => void {
  let isClosing = false;
  const end = (isFine: boolean): void => {
    isClosing = true;
    close().then(
      ({ abandoned }) => process.exit(isFine && abandoned.length === 0 ? 0 : 1),
      () => process.exit(1), // close() has logged why
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isClosing) process.exit(1);
    log.info({ signal }, 'closing');
    end(true);
  };
  const onUncaught = (error: unknown, origin: string): void => {
    log.error({ err: error, origin }, 'nobody caught an error: closing');
    if (!isClosing) end(false);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  process.on('uncaughtException', onUncaught); // rejections that nobody handles come here too
  return () => {
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    process.off('uncaughtException', onUncaught);
  };
}
