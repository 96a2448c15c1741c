/**
 * Ends the process in good order on SIGTERM and SIGINT. A second signal ends it at once.
 *
 * @param close - Ends the app and says what was cut; then the process exits, with 0 if that is nothing.
 * @returns Stops listening to signals.
 */
export function onSignals(close: () => Promise<{ abandoned: readonly string[] }>): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  let isClosing = false;
  const receive = (): void => {
    if (isClosing) process.exit(1);
    isClosing = true;
    close().then(
      ({ abandoned }) => process.exit(abandoned.length === 0 ? 0 : 1),
      () => process.exit(1), // close() has logged why
    );
  };
  for (const signal of signals) process.on(signal, receive);
  return () => {
    for (const signal of signals) process.off(signal, receive);
  };
}
