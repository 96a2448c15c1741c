import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { App } from 'thereafter';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tour } from '../src/app.ts';

let folder: string;
let app: App;
let url: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tour-'));
  vi.stubEnv('LOG_FILE', join(folder, 'nested', 'tour.log'));
  app = tour({ logger: false, shutdown: { signals: false } });
  ({ url } = await app.listen({ port: 0, host: '127.0.0.1' }));
});

afterEach(async () => {
  await app.close();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function logged(): string {
  return readFileSync(join(folder, 'nested', 'tour.log'), 'utf8');
}

async function post(path: string): Promise<unknown> {
  const response = await fetch(url + path, { method: 'POST' });
  expect(response.status).toBe(200);
  const body = await response.json();
  await app.tasks.settled();
  return body;
}

describe('the tour', () => {
  it('sends a notification after the answer', async () => {
    expect(await post('/send-notification/ada@example.com')).toEqual({
      message: 'Notification is being sent',
    });
    expect(logged()).toBe('Notification sent to ada@example.com\n');
  });

  it('runs the three tasks of a new user in order', async () => {
    expect(await post('/users/?email=a@b.c&user_id=7')).toEqual({ message: 'User created' });
    expect(logged()).toBe('log a@b.c\nemail a@b.c Welcome!\nstats 7\n');
  });

  it('names the field that is wrong', async () => {
    const response = await fetch(`${url}/users/?email=a@b.c&user_id=x`, { method: 'POST' });
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      errors: [{ source: 'query', pointer: '/user_id', message: 'must be an integer, got "x"' }],
    });
  });

  it('logs the access of whoever asks for the current user', async () => {
    expect(await (await fetch(`${url}/items/`)).json()).toEqual({ user_id: 123, items: [] });
    await app.tasks.settled();
    expect(logged()).toBe('access 123\n');
  });

  it('answers although the task fails, and reports the failure', async () => {
    const failures: unknown[] = [];
    app.onTaskError((error, failure) => failures.push({ error, ...failure }));
    expect(await post('/process/?data=bad')).toEqual({ message: 'Task submitted' });
    expect(failures).toEqual([
      {
        error: new Error("cannot process 'bad'"),
        taskName: 'riskyTask',
        taskId: expect.any(String),
        requestId: expect.any(String),
        attempt: 1,
      },
    ]);
    expect(await post('/process/?data=good')).toEqual({ message: 'Task submitted' });
    expect(failures).toHaveLength(1);
  });
});
