import type { Logger } from '@thereafter/tasks';
import { pino } from 'pino';

/** The app's log: lines of JSON on standard output. */
export interface AppLog extends Logger {
  /** The same log, with these fields on each line. */
  child(fields: object): Logger;
}

export function createLog(isEnabled: boolean): AppLog {
  return pino({ enabled: isEnabled, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}
