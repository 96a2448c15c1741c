import type { App } from 'thereafter';
import { Agent, fetch, type RequestInit, type Response } from 'undici';

/** An app on a free port, and a client of its own. Closes both at the end of a block. */
export interface Served extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Sends a JSON body with POST. */
  post(path: string, body: unknown): Promise<Response>;
}

export async function serve(app: App): Promise<Served> {
  const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
  const dispatcher = new Agent();
  const get: Served['fetch'] = (path, init) => fetch(url + path, { dispatcher, ...init });
  return {
    url,
    port: Number(new URL(url).port),
    fetch: get,
    post: (path, body) =>
      get(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    async [Symbol.asyncDispose]() {
      await dispatcher.destroy();
      await app.close();
    },
  };
}

/** Options of an app under test: nothing in the output, and the signals left to the test runner. */
export const QUIET = { logger: false, shutdown: { signals: false } } as const;
