/** Options of an app that writes nothing and leaves the signals of the process alone. */
export const QUIET = { logger: false, shutdown: { signals: false } } as const;
