import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App, AppOptions } from 'thereafter';
import { expect, vi } from 'vitest';
import { tour } from '../../src/app.ts';

/** A tour on a free port, whose files lie in a folder of their own. Closes and removes both at the end of a block. */
export interface ServedTour extends AsyncDisposable {
  readonly app: App;
  readonly url: string;
  readonly folder: string;
  /** Where compressed images go. */
  readonly processed: string;
  /** What stands in the log file. */
  logged(): string;
  /** The JSON of an answer with status 200, once the tasks after it are done. */
  ask(method: 'GET' | 'POST', path: string, body?: FormData): Promise<unknown>;
}

interface ServeOptions extends AppOptions {
  /** Environment variables besides those for its folder. */
  readonly env?: Readonly<Record<string, string>>;
  /** Registers more before it starts. */
  readonly extend?: (app: App) => void;
}

export async function serveTour({
  env = {},
  extend,
  ...options
}: ServeOptions = {}): Promise<ServedTour> {
  const folder = mkdtempSync(join(tmpdir(), 'tour-'));
  const logFile = join(folder, 'nested', 'tour.log');
  const processed = join(folder, 'processed');
  const jobsFile = join(folder, 'jobs.db');
  const variables = {
    LOG_FILE: logFile,
    PROCESSED_DIR: processed,
    JOBS_FILE: jobsFile,
    ...env,
  };
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  const app = tour({ logger: false, shutdown: { signals: false }, ...options });
  extend?.(app);
  try {
    await app.listen({ port: 0, host: '127.0.0.1' });
  } finally {
    vi.unstubAllEnvs(); // it has been read
  }
  return {
    app,
    url: app.url,
    folder,
    processed,
    logged: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    async ask(method, path, body) {
      const response = await fetch(app.url + path, { method, ...(body && { body }) });
      expect(response.status).toBe(200);
      const answer = await response.json();
      await app.tasks.settled();
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await app.close();
      rmSync(folder, { recursive: true });
    },
  };
}
