import type { Logger } from '@thereafter/tasks';
import { pino } from 'pino';

/** The app's log: lines of JSON on standard output. */
export interface AppLog extends Logger {
  /** The same log, with these fields on each line. */
  child(fields: object): Logger;
}

/** @param logger - Whether lines are written, or the log that writes them. */
export function createLog(logger: boolean | AppLog): AppLog {
  if (typeof logger === 'object') return logger;
  return pino({ enabled: logger, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
