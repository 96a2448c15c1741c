import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedis, startRedis } from './support/redis.ts';
import { serveTour, type ServedTour } from './support/serve-tour.ts';

async function submit(tour: ServedTour, body: unknown): Promise<Response> {
  return fetch(`${tour.url}/heavy-task/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function idOf(response: Response): Promise<string> {
  const answer = (await response.json()) as { task_id: string };
  expect(answer).toEqual({
    task_id: expect.any(String),
    status: 'submitted',
    message: 'Task submitted, query the result later',
  });
  return answer.task_id;
}

async function statusOf(tour: ServedTour, id: string): Promise<{ readonly status: string }> {
  const response = await fetch(`${tour.url}/task-status/${id}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { status: string };
}

/** Asks until the job is in a state. */
async function until(tour: ServedTour, id: string, state: string): Promise<unknown> {
  for (;;) {
    const answer = await statusOf(tour, id);
    if (answer.status === state) return answer;
  }
}

function survivesARestart(where: () => Record<string, string>): void {
  it('is done, and its result can be asked for', async () => {
    await using tour = await serveTour({ env: { DURATION_MS: '20', ...where() } });
    const id = await idOf(await submit(tour, { pages: [1, 2] }));
    expect(await until(tour, id, 'completed')).toEqual({
      task_id: id,
      status: 'completed',
      result: { status: 'completed' },
    });
    expect(tour.logged()).toBe(`heavy task ${id} completed\n`);
  });

  it('is taken up by the next start when the first ends before it', async () => {
    const env = { ...where() };
    const options = {
      env: { DURATION_MS: '60000', ...env },
      shutdown: { drainTimeout: '10ms' },
    } as const;
    let id: string;
    {
      await using tour = await serveTour({
        ...options,
        shutdown: { ...options.shutdown, signals: false },
      });
      id = await idOf(await submit(tour, {}));
      expect(await until(tour, id, 'running')).toEqual({
        task_id: id,
        status: 'running',
        result: null,
      });
    }
    await using tour = await serveTour({ env: { DURATION_MS: '20', ...env } });
    await until(tour, id, 'completed');
  });
}

describe('a heavy task', () => {
  describe('in the embedded store', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tour-jobs-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    survivesARestart(() => ({ JOBS_FILE: join(folder, 'jobs.db') }));
  });

  describe.skipIf(!hasRedis)('in Redis', () => {
    let redis: Awaited<ReturnType<typeof startRedis>>;
    beforeAll(async () => {
      redis = await startRedis();
    });
    afterAll(() => redis[Symbol.asyncDispose]());
    survivesARestart(() => ({ REDIS_URL: redis.url }));
  });

  it('takes a JSON object of any shape, and nothing else', async () => {
    await using tour = await serveTour();
    expect((await submit(tour, [1])).status).toBe(422);
    expect((await submit(tour, 'text')).status).toBe(422);
  });

  it('that nobody knows is a 404', async () => {
    await using tour = await serveTour();
    const response = await fetch(`${tour.url}/task-status/unknown`);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ detail: "There is no task 'unknown'." });
  });
});
