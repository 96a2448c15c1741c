import { pino, type Logger } from 'pino';

/** A log whose lines can be looked at. */
export function capturedLog(): { readonly logger: Logger; readonly lines: object[] } {
  const lines: object[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as object);
  return { logger: pino({ base: null }, { write }), lines };
}
