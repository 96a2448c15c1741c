import type { Logger } from '@thereafter/tasks';
import { inspect } from 'node:util';
import { pino } from 'pino';
import { isThenable } from './untrusted.ts';

/** The app's log: lines of JSON on standard output. */
export interface AppLog extends Logger {
  /** The same log, with these fields on each line. */
  child(fields: object): Logger;
}

/** @param logger - Whether lines are written, or the log that writes them. */
export function createLog(logger: boolean | AppLog): AppLog {
  if (typeof logger === 'object') return new SafeLog(logger);
  return new SafeLog(
    pino({ enabled: logger, base: null, timestamp: pino.stdTimeFunctions.isoTime }),
  );
}

type Level = 'info' | 'error';

/**
 * A log that never throws. What is logged is often what somebody has thrown, and may be anything: a
 * frozen error, on which the serialiser of pino wants to write, or one whose getters throw.
 */
class SafeLog implements AppLog {
  readonly #log: Logger & Partial<AppLog>;

  constructor(log: Logger & Partial<AppLog>) {
    this.#log = log;
  }

  info(fields: object | string, message?: string): void {
    this.#write('info', fields, message);
  }

  error(fields: object | string, message?: string): void {
    this.#write('error', fields, message);
  }

  child(fields: object): Logger {
    try {
      return new SafeLog(this.#log.child?.(fields) ?? this.#log);
    } catch {
      return this; // lines without the fields are better than none
    }
  }

  #write(level: Level, fields: object | string, message: string | undefined): void {
    try {
      settle(this.#log[level](fields, message));
    } catch {
      this.#writeAsText(level, fields, message);
    }
  }

  /** The second try: values that the log could not take, as text. */
  #writeAsText(level: Level, fields: object | string, message: string | undefined): void {
    const texts = typeof fields === 'string' ? fields : toTexts(fields);
    try {
      settle(this.#log[level](texts, message));
    } catch {
      // The log is broken, and has to be told of somewhere else.
      process.stderr.write(`${inspect({ level, message, ...Object(texts) })}\n`);
    }
  }
}

/** A log that is asynchronous may reject, for whom nobody waits. */
function settle(written: unknown): void {
  if (isThenable(written)) Promise.resolve(written).catch(() => undefined);
}

function toTexts(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Object(value) === value ? toErrorTexts(value as object) : value,
    ]),
  );
}

/** What can be said of a value that may be hostile, in the shape that logs expect of an error. */
function toErrorTexts(value: object): { type: string; message: string; stack: string } {
  return {
    type: read(() => (value as Error).name),
    message: read(() => (value as Error).message),
    stack: read(() => inspect(value, { depth: 4 })), // calls no getters and no traps of proxies
  };
}

function read(get: () => unknown): string {
  try {
    return String(get());
  } catch {
    return '(cannot be read)';
  }
}
