import type { App } from 'thereafter';

/** Collects the fields of the error lines that requests of an app log. Adds middleware to it. */
export function loggedErrors(app: App): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  app.use((ctx, next) => {
    const { id, log } = ctx;
    log.error = (fields: object | string) => void lines.push({ id, ...(fields as object) });
    return next();
  });
  return lines;
}
