import type { AppLog } from 'thereafter';

interface Line extends Readonly<Record<string, unknown>> {
  readonly level: 'info' | 'error';
}

/** A log whose lines can be looked at. */
export function capturedLog(): { readonly logger: AppLog; readonly lines: Line[] } {
  const lines: Line[] = [];
  const logOf = (fields: object): AppLog => {
    const write =
      (level: Line['level']) =>
      (details: object | string, message?: string): void => {
        const more = typeof details === 'string' ? { message: details } : details;
        lines.push({ ...fields, message, ...more, level });
      };
    return {
      child: (more) => logOf({ ...fields, ...more }),
      info: write('info'),
      error: write('error'),
    };
  };
  return { logger: logOf({}), lines };
}
