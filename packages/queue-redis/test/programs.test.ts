import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

// What the program says of types is checked by the type check of this folder, of which it is part.
it('runs a program of durable jobs, which are told from one another and can be asked for', async () => {
  const before = process.cwd();
  const folder = mkdtempSync(join(tmpdir(), 'program-'));
  process.chdir(folder); // where the program keeps its jobs
  try {
    const { app } = await import('./programs/durable.ts');
    await using _ = app;
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' });
    const post = (path: string): Promise<Response> =>
      fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ accountId: 7, format: 'csv' }),
      });
    const stateOf = async (id: string): Promise<unknown> =>
      (await fetch(`${url}/exports/${id}`)).json();

    const later = await post('/exports/later');
    expect(later.status).toBe(202);
    const { job } = (await later.json()) as { job: string };
    const done = { state: 'completed', progress: 0.5, result: { rows: 7 } };
    await expect.poll(() => stateOf(job)).toEqual(done);

    const delayed = await post('/exports');
    expect(delayed.status).toBe(202);
    const { job: id } = (await delayed.json()) as { job: string };
    expect(delayed.headers.get('location')).toBe(`/exports/${id}`);
    expect(await stateOf(id)).toEqual({ state: 'scheduled', progress: 0, result: null });

    expect((await fetch(`${url}/exports/nobody`)).status).toBe(404);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});
